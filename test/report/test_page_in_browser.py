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

"""What a reader sees and does, in a headless Chromium."""

from dataclasses import replace
import json

import pytest
import report_demo
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.ui import WebDriverWait

from vla_accel_ros.report.data import Report
from vla_accel_ros.report.page import write

HOSTILE = (
    '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
    '\'"&amp;{{ 7 * 7 }}%{x}'
)
DECODED = """
const done = arguments[0];
const load = (source) => new Promise((resolve) => {
  const image = new Image();
  image.onload = () => resolve(image.naturalWidth);
  image.onerror = () => resolve(0);
  image.src = source;
});
Promise.all(moments.data.pictures.flatMap(
  (views, picture) => views.map((_, camera) => load(moments.uri(picture, camera))))).then(done);
"""


def until(browser, condition):
    return WebDriverWait(browser, 30, poll_frequency=0.05).until(lambda _: condition())


def find(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def errors(browser):
    return [entry for entry in browser.get_log('browser') if entry['level'] == 'SEVERE']


def step_of(browser):
    return int(find(browser, '#cursor').get_property('value'))


def picture_of(browser):
    return find(browser, '#views img').get_attribute('src')


def choose(browser, select, text):
    Select(find(browser, select)).select_by_visible_text(text)


def line_of(browser):
    return browser.execute_script(
        'return document.querySelector("[data-figure=timeline]").layout.shapes[0].x0'
    )


def hover(browser, place):
    """Move the pointer to a share of the timeline's width, on its first row."""
    row = find(browser, '[data-figure=timeline] .nsewdrag')
    browser.execute_script('arguments[0].scrollIntoView({block: "center"})', row)
    offset = int((place - 0.5) * row.size['width'])
    ActionChains(browser).move_to_element_with_offset(row, offset, 0).perform()


def test_it_loads_from_disk_without_an_error_and_asks_the_network_for_nothing(opened, page):
    charts = opened.find_elements(By.CSS_SELECTOR, '[data-figure]')
    assert len(charts) == 4
    for chart in charts:
        opened.execute_script('arguments[0].scrollIntoView()', chart)
        until(opened, lambda place=chart: place.find_elements(By.CSS_SELECTOR, '.main-svg'))
    asked = set()
    for entry in opened.get_log('performance'):
        message = json.loads(entry['message'])['message']
        if message['method'] == 'Network.requestWillBeSent':
            asked.add(message['params']['request']['url'])
    assert {url for url in asked if not url.startswith(('data:', 'blob:'))} == {page.as_uri()}
    assert not errors(opened)


def test_every_picture_is_there_and_decodes(opened, report):
    widths = opened.execute_async_script(DECODED)
    assert len(widths) == 600 * len(report.cameras)
    assert min(widths) > 0
    images = opened.find_elements(By.TAG_NAME, 'img')
    assert len(images) > 20
    for image in images:
        assert image.get_property('naturalWidth') > 0
        assert image.get_attribute('alt')


def test_hover_changes_the_frame(opened):
    seen = []
    for place in (0.25, 0.75):
        hover(opened, place)
        until(opened, lambda: picture_of(opened) not in seen[-1:] and step_of(opened))
        seen.append(picture_of(opened))
        until(opened, lambda: f'{line_of(opened):.2f} s' in find(opened, '#facts').text)
        steps = opened.execute_script('return Number(document.getElementById("cursor").max)')
        assert step_of(opened) / steps == pytest.approx(place, abs=0.1)
    assert not errors(opened)


def test_keys_step_the_cursor_and_fields_keep_their_own(opened):
    body = find(opened, 'body')
    body.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert step_of(opened) == 2
    body.send_keys(Keys.SHIFT + Keys.ARROW_RIGHT)
    assert step_of(opened) == 12
    find(opened, '#cursor').send_keys(Keys.ARROW_RIGHT)
    assert step_of(opened) == 13
    assert '14 of' in find(opened, '#facts').text


def test_dropped_tokens_are_dimmed_and_kept_ones_are_not(opened, report):
    choose(opened, '#method', 'random@keep=0.25')
    trace = report.episodes[0].traces['random@keep=0.25']
    pixels = opened.execute_script(
        'const c = document.querySelector("#views canvas");'
        'return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]'
    )
    grid = report_demo.GRID
    dimmed = {token for token in range(grid * grid) if pixels[4 * token + 3]}
    assert dimmed == set(range(grid * grid)) - set(trace.steps[0].kept[0].tolist())
    find(opened, '#dim').click()
    assert not find(opened, '#views canvas').is_displayed()


def test_the_frame_of_each_method_is_one_picture_with_other_tokens(opened):
    pictures, captions = set(), []
    for method in ('none', 'random@keep=0.25'):
        choose(opened, '#method', method)
        pictures.add(picture_of(opened))
        captions.append(find(opened, '#views figcaption').text)
    assert len(pictures) == 1
    assert captions == ['agent: all 36 tokens kept', 'agent: 9 of 36 tokens kept']


def test_a_view_that_the_policy_does_not_have_is_shown_as_it_is(browser, report, tmp_path):
    trace = report.episodes[0].traces['fast']
    steps = tuple(
        replace(step, kept=(*step.kept[:1], [])[: 2 * len(step.kept)]) for step in trace.steps
    )
    episode = replace(report.episodes[0], traces={'fast': replace(trace, steps=steps)})
    made = replace(
        report,
        episodes=(episode,),
        clips=(),
        cameras=(report.cameras[0], replace(report.cameras[1], rows=0, columns=0)),
    )
    browser.get(write(made, tmp_path / 'plain.html').as_uri())
    captions = [c.text for c in browser.find_elements(By.CSS_SELECTOR, '#views figcaption')]
    assert captions[1] == 'wrist'
    assert len(browser.find_elements(By.CSS_SELECTOR, '.strip img')) == 24
    assert not errors(browser)


def test_the_strip_goes_along_the_episode_and_leads_to_its_frame(opened):
    choose(opened, '#episode', 'seed 2')
    frames = opened.find_elements(By.CSS_SELECTOR, '.strip button')
    assert len(frames) == 12
    opened.execute_script('arguments[0].click()', frames[6])
    assert frames[6].get_attribute('aria-current') == 'true'
    inside = frames[6].find_element(By.TAG_NAME, 'img').get_attribute('src')
    assert picture_of(opened) == inside


def test_light_and_dark_change_page_and_charts(opened):
    colours = []
    for scheme in ('light', 'dark'):
        opened.execute_cdp_cmd(
            'Emulation.setEmulatedMedia',
            {'features': [{'name': 'prefers-color-scheme', 'value': scheme}]},
        )
        colours.append(paper(opened, scheme))
    find(opened, '#theme').click()
    assert paper(opened, 'light') == colours[0] != colours[1]
    opened.execute_script('localStorage.clear()')
    assert not errors(opened)


def paper(browser, scheme):
    """Return the colour that page and charts have once they have turned to a scheme."""

    def colours():
        return browser.execute_script(
            'const colour = (s) => getComputedStyle(document.querySelector(s)).backgroundColor;'
            'return [document.documentElement.dataset.theme, colour(".card"), '
            'colour("[data-figure=pareto] .main-svg"), colour("[data-figure=timeline] .main-svg")]'
        )

    until(browser, lambda: colours()[0] == scheme and len(set(colours()[1:])) == 1)
    return colours()[1]


def test_films_of_failures_play_to_their_end(opened, report):
    clip = find(opened, '.clip')
    opened.execute_script('arguments[0].querySelector("button").click()', clip)
    last = str(len(report.clips[0].pictures) - 1)
    until(opened, lambda: clip.get_attribute('data-drawn') == last)
    until(opened, lambda: clip.find_element(By.TAG_NAME, 'button').text == 'Play')


def test_a_heading_sorts_its_table(opened):
    table = find(opened, '#summary table')
    heading = next(
        h for h in table.find_elements(By.CSS_SELECTOR, 'thead button') if 'model time' in h.text
    )
    for direction in ('ascending', 'descending'):
        opened.execute_script('arguments[0].click()', heading)
        rows = table.find_elements(By.CSS_SELECTOR, 'tbody tr')
        values = [
            float(row.find_elements(By.TAG_NAME, 'td')[3].get_attribute('data-value'))
            for row in rows
        ]
        assert values == sorted(values, reverse=direction == 'descending')
        cell = heading.find_element(By.XPATH, '..')
        assert cell.get_attribute('aria-sort') == direction


def test_the_page_fits_a_laptop(opened):
    assert opened.execute_script('return document.documentElement.scrollWidth <= innerWidth')
    bottom = opened.execute_script(
        'return document.querySelector(".verdicts").getBoundingClientRect().bottom'
    )
    assert bottom <= 768


def test_what_stands_over_the_histograms_is_not_cut_off(opened):
    chart = find(opened, '[data-figure=latency]')
    opened.execute_script('arguments[0].scrollIntoView({block: "center"})', chart)
    titles = until(opened, lambda: chart.find_elements(By.CSS_SELECTOR, '.annotation text'))
    assert titles
    for title in titles:
        assert title.rect['x'] + title.rect['width'] <= chart.rect['x'] + chart.rect['width']


def test_it_prints_in_light_with_every_section(opened):
    opened.execute_script('document.getElementById("theme").click()')
    assert len(opened.print_page()) > 50_000
    opened.execute_script('localStorage.clear()')
    assert not errors(opened)


def hostile(report: Report) -> Report:
    """Return the report with markup in every text that users choose."""
    name = 'fast'
    renamed = tuple(
        replace(row, name=HOSTILE, summary=HOSTILE, settings={HOSTILE: HOSTILE})
        if row.name == name
        else row
        for row in report.methods
    )
    episodes = tuple(
        replace(
            episode,
            name=HOSTILE,
            instruction=HOSTILE,
            traces={
                HOSTILE if key == name else key: replace(
                    trace,
                    outcome=HOSTILE,
                    steps=tuple(replace(step, reason=HOSTILE) for step in trace.steps),
                )
                for key, trace in episode.traces.items()
            },
        )
        for episode in report.episodes[:1]
    )
    clips = tuple(replace(clip, title=HOSTILE, caption=HOSTILE) for clip in report.clips[:1])
    return replace(
        report,
        title=HOSTILE,
        subtitle=HOSTILE,
        notes=(HOSTILE,),
        methods=renamed,
        episodes=episodes,
        clips=clips,
        cameras=tuple(replace(camera, name=HOSTILE) for camera in report.cameras),
        measures=tuple(replace(m, title=HOSTILE, note=HOSTILE) for m in report.measures),
        provenance=replace(report.provenance, command=HOSTILE, inputs={HOSTILE: HOSTILE}),
    )


def test_markup_in_any_text_is_shown_and_never_run(browser, report, tmp_path):
    page = write(hostile(report), tmp_path / 'hostile.html')
    browser.get_log('browser')
    browser.get(page.as_uri())
    choose(browser, '#method', HOSTILE)
    hover(browser, 0.5)
    until(browser, lambda: step_of(browser) > 0)
    assert browser.execute_script('return window.hacked') is None
    assert find(browser, '#instruction').text == HOSTILE
    assert find(browser, 'h1').text == HOSTILE
    assert not browser.find_elements(By.CSS_SELECTOR, 'img[src=x]')
    assert not errors(browser)
