# Copyright 2026 The vla_accel_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""A page of six hundred frames, and a real browser to open it in."""

from pathlib import Path
import shutil
import sys

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import report_demo

from vla_accel_ros.report.page import write

# scripts/browser.sh installs them for `make test`.
PACKAGES = 'chromium chromium-driver'
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
FLAGS = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--window-size=1366,768',
    # A page that is still scrolling is not where the pointer was sent.
    '--force-prefers-reduced-motion',
)


@pytest.fixture(scope='session')
def report(tmp_path_factory):
    return report_demo.demo_report(tmp_path_factory.mktemp('moments'), frames=600)


@pytest.fixture(scope='session')
def page(report, tmp_path_factory):
    return write(report, tmp_path_factory.mktemp('page') / 'report.html')


@pytest.fixture(scope='session')
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which('chromedriver')
    if not program or not driver:
        pytest.fail(
            'no Chromium with its driver: '
            f'sudo apt-get update && sudo apt-get install -y {PACKAGES}'
        )
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f'--user-data-dir={tmp_path_factory.mktemp("profile")}'):
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    opened.set_script_timeout(60)
    yield opened
    opened.quit()


@pytest.fixture
def opened(browser, page):
    """The browser with the page as it is just after loading, and empty logs."""
    browser.get('about:blank')
    for log in ('browser', 'performance'):
        browser.get_log(log)
    browser.get(page.as_uri())
    return browser
