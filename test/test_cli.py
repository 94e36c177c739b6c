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

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from vla_accel_ros import __version__, cli, paths
from vla_accel_ros.command_table import COMMANDS
from vla_accel_ros.commands import doctor
from vla_accel_ros.graph.machine import Finding
from vla_accel_ros.sim.gl import OpenGLError
from vla_accel_ros.stopping import Ended


def vla_accel(*arguments, **options):
    return subprocess.run(
        [sys.executable, '-m', 'vla_accel_ros.cli', *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_without_a_command_the_commands_are_listed():
    done = vla_accel()
    assert done.returncode == 2
    for name, command in COMMANDS.items():
        assert re.search(rf'^    {name}\s', done.stderr, re.MULTILINE)
        assert command.summary.split(',')[0] in done.stderr


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_has_help_with_examples_and_json(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, '--help'])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert 'examples:' in text and '--json' in text and '--debug' in text


@pytest.mark.parametrize('command', COMMANDS)
def test_every_example_can_be_parsed(command):
    for example in COMMANDS[command].examples:
        arguments = example.split()[1:]
        if '--help' not in arguments:
            assert cli.build_parser(command).parse_args(arguments).command == command


def test_version_is_the_packages():
    done = vla_accel('--version')
    assert (done.returncode, done.stdout) == (0, f'vla-accel {__version__}\n')


@pytest.mark.parametrize('arguments', [['fly'], ['doctor', '--altitude', '3']])
def test_what_is_not_understood_is_refused_with_2(arguments):
    done = vla_accel(*arguments)
    assert done.returncode == 2
    assert 'Traceback' not in done.stderr and arguments[-1] in done.stderr


class Module:
    """Stands where a command's module would, and raises what it is given."""

    def __init__(self, error):
        self.error = error

    def configure(self, parser):
        pass

    def run(self, args):
        if isinstance(self.error, BaseException):
            raise self.error
        return self.error


@pytest.fixture
def command(monkeypatch):
    def install(result):
        monkeypatch.setattr(cli, 'import_module', lambda name: Module(result))

    return install


@pytest.mark.parametrize(
    'error',
    [
        ValueError('rate is -1, expected a positive number\n of Hz'),
        FileNotFoundError('no a.yaml'),
        ModuleNotFoundError('No module', name='rclpy'),
        OpenGLError('no EGL,\nno OSMesa'),
    ],
)
def test_bad_input_is_one_line_and_2(error, command, capsys):
    command(error)
    assert cli.main(['doctor']) == 2
    out, err = capsys.readouterr()
    assert out == '' and err.startswith('vla-accel: error: ') and err.count('\n') == 1


def test_debug_shows_where_the_error_comes_from(command):
    command(ValueError('rate'))
    for arguments in (['--debug', 'doctor'], ['doctor', '--debug']):
        with pytest.raises(ValueError, match='rate'):
            cli.main(arguments)


def test_a_defect_is_not_dressed_up_as_bad_input(command):
    command(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        cli.main(['doctor'])


@pytest.mark.parametrize(('result', 'code'), [(0, 0), (1, 1), (KeyboardInterrupt(), 130)])
def test_exit_code_is_the_commands(result, code, command):
    command(result)
    assert cli.main(['doctor']) == code


def test_an_interrupt_that_a_library_makes_an_import_error_of_is_one(capsys, monkeypatch):
    def interrupted(_):
        try:
            raise Ended(signal.SIGTERM)
        except Ended as error:
            raise ImportError('initialization failed') from error

    monkeypatch.setattr(doctor, 'run', interrupted)
    assert cli.main(['doctor']) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == 'interrupted\n'


@pytest.mark.parametrize('words', ['', '--json'])
def test_a_reader_that_goes_away_is_no_error(words):
    done = subprocess.run(
        f'{sys.executable} -m vla_accel_ros.cli doctor {words} | true; exit ${{PIPESTATUS[0]}}',
        shell=True,
        executable='/bin/bash',
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ''


OPENED = """
import os, sys
from vla_accel_ros import cli
from vla_accel_ros.commands import doctor
def run(args):
    print('a line', file=sys.stdout)
    print('a line', file=sys.stderr)
    handle = os.open(os.devnull, os.O_RDONLY)
    return 0 if handle > 2 and not sys.stderr.isatty() else 1
doctor.run = run
sys.argv = ['vla-accel', 'doctor']
sys.exit(cli.main())
"""


@pytest.mark.parametrize('closed', ['>&-', '2>&-', '<&- >&- 2>&-'])
def test_closed_streams_are_no_error_and_lend_their_numbers_to_no_file(closed):
    done = subprocess.run(
        ['/bin/bash', '-c', f'"$0" -c "$1" {closed}', sys.executable, OPENED],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0


NATIVE = """
import os, sys
from vla_accel_ros import cli
from vla_accel_ros.commands import doctor
def run(args):
    os.write(1, b'from a native library\\n')
    print('{"ok": true}')
    return 0
doctor.run = run
sys.exit(cli.main(['doctor', *sys.argv[1:]]))
"""


def test_what_native_libraries_print_does_not_spoil_the_json():
    done = subprocess.run(
        [sys.executable, '-c', NATIVE, '--json'],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, {'ok': True})
    assert done.stderr == 'from a native library\n'


def test_doctor_says_in_json_whether_the_demo_can_run():
    done = vla_accel('doctor', '--json')
    report = json.loads(done.stdout)
    findings = {finding['name']: finding for finding in report['findings']}
    assert done.returncode == (0 if report['ok'] else 1)
    assert findings['ros']['ok'] and findings['ros']['rmw']
    # Nothing is recommended that nothing here uses.
    assert not {'onnxruntime', 'tensorrt'} & set(findings)
    assert findings['opengl']['ok'] and findings['opengl']['shades'] > 1
    assert report['lacking'] == [
        name for name, f in findings.items() if f['needed'] and not f['ok']
    ]


def test_doctor_names_a_checkpoint_that_cannot_be_loaded(tmp_path):
    from vla_accel_ros.commands.doctor import checkpoint

    (tmp_path / 'config.json').write_text('{"model_type": "bert"}', encoding='utf-8')
    finding = checkpoint(str(tmp_path))
    assert isinstance(finding, Finding) and not finding.ok
    assert str(tmp_path) in finding.text and finding.remedy


def test_doctor_goes_on_whatever_a_checkpoint_raises(tmp_path, monkeypatch):
    from vla_accel_ros.commands.doctor import checkpoint
    from vla_accel_ros.models.policy import Policy

    def damaged(*args, **kwargs):
        raise AttributeError("'NoneType' object\nhas no attribute 'name'")

    monkeypatch.setattr(Policy, 'load', damaged)
    finding = checkpoint('tabletop-s')
    assert not finding.ok
    assert finding.text == "AttributeError: 'NoneType' object has no attribute 'name'"


def test_doctor_shows_the_largest_step_and_the_checksum():
    from vla_accel_ros.commands.doctor import checkpoint

    finding = checkpoint('tabletop-s')
    assert finding.ok
    assert 'largest step 0.033 m, 0.103 rad; checksum right' in finding.text
    assert finding.details['largest_step_m'] == pytest.approx(0.0326, abs=1e-3)
    assert finding.details['checksum']


@pytest.mark.parametrize('name', ['no-such-checkpoint', 'test'])
def test_an_unknown_checkpoint_lists_those_shipped(name):
    with pytest.raises(FileNotFoundError, match='shipped: '):
        paths.checkpoint_folder(name)


def test_a_checkpoint_is_found_by_its_folder(tmp_path):
    (tmp_path / 'config.json').write_text('{}', encoding='utf-8')
    assert paths.checkpoint_folder(tmp_path) == tmp_path


def test_an_adapter_and_a_link_to_nothing_say_what_to_do(tmp_path):
    (tmp_path / 'config.json').symlink_to('../blobs/1')
    with pytest.raises(FileNotFoundError, match=r'is a link to \.\./blobs/1, which is not there'):
        paths.checkpoint_folder(tmp_path)
    (tmp_path / 'config.json').unlink()
    (tmp_path / 'adapter_config.json').write_text('{}', encoding='utf-8')
    with pytest.raises(FileNotFoundError, match=r'low-rank adapter .* merge_and_unload'):
        paths.checkpoint_folder(tmp_path)


def test_a_share_file_is_found_and_a_missing_one_named():
    assert paths.share_file('package.xml').is_file()
    with pytest.raises(FileNotFoundError, match=r'config/none\.yaml'):
        paths.share_file('config/none.yaml')


ODD = """
import sys
from vla_accel_ros import cli
from vla_accel_ros.commands import doctor
def run(args):
    print('at least ≥, K\udce4fer')
    print('the same ≥, K\udce4fer', file=sys.stderr)
    return 0
doctor.run = run
sys.argv[1:] = ['doctor', *sys.argv[1:]]
sys.exit(cli.main())
"""


@pytest.mark.parametrize('words', [[], ['--json']])
@pytest.mark.parametrize('encoding', ['latin-1', 'ascii', 'utf-8'])
def test_what_a_terminal_cannot_show_loses_nothing_else(tmp_path, words, encoding):
    (tmp_path / 'odd.py').write_text(ODD.replace('\udce4', '\\udce4'), encoding='utf-8')
    done = subprocess.run(
        [sys.executable, str(tmp_path / 'odd.py'), *words],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, 'PYTHONIOENCODING': encoding},
    )
    assert done.returncode == 0
    assert b'K?fer' in done.stdout and b'K?fer' in done.stderr
