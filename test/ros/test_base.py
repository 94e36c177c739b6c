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

import gc

import pytest
from std_msgs.msg import Empty

from vla_accel_ros.options import Option
from vla_accel_ros.ros import qos
from vla_accel_ros.ros.base import Node

TABLE = (
    Option('rate', 20.0, 'Rate of the stream', unit='Hz', range=(20.0, 100.0)),
    Option('low', 1.0, 'Lower of two', range=(0.0, 10.0)),
    Option('high', 2.0, 'Higher of two', range=(0.0, 10.0)),
    Option('topics', ['a'], 'What to listen to', when='configure'),
)


class Probe(Node):
    NAME = 'probe'
    SETTINGS = TABLE
    broken = ''

    def __init__(self, **kwargs):
        self.calls = []
        super().__init__(**kwargs)

    def check(self, settings):
        if settings['low'] > settings['high']:
            raise ValueError(f'low = {settings["low"]} is above high = {settings["high"]}')

    def apply(self, changed):
        self.calls.append(('apply', changed))
        if self.broken == 'apply':
            raise RuntimeError('apply is broken')

    def _hook(self, name):
        self.calls.append(name)
        if self.broken == name:
            raise RuntimeError(f'{name} is broken')

    def configure(self):
        self._hook('configure')

    def activate(self):
        self._hook('activate')

    def deactivate(self):
        self._hook('deactivate')

    def cleanup(self):
        self._hook('cleanup')


class Closed(Probe):
    NAME = 'closed'

    def configure(self):
        super().configure()
        raise FileNotFoundError('no checkpoint in /nowhere')


def reports(heard, name):
    return [s for array in heard for s in array.status if s.name.endswith(name)]


def test_autostart_configures_and_activates_once_the_node_is_up(graph):
    node = graph.add(Probe)
    assert node.state() == 'active'
    assert node.calls == ['configure', 'activate']


def test_an_invalid_transition_is_refused_reported_and_survived(graph):
    node = graph.add(Probe, autostart=False)
    heard = graph.diagnostics()
    assert not graph.change_state(node, 'activate')
    assert not graph.change_state(node, 'deactivate')
    assert graph.change_state(node, 'configure')
    assert graph.change_state(node, 'activate')
    assert node.active
    graph.until(
        lambda: any('invalid_transition' in s.message for s in reports(heard, 'probe')),
        'the invalid transition is reported',
    )
    assert graph.errors == []


def test_a_failed_configure_is_reported_and_can_be_tried_again(graph):
    node = graph.add(Closed, autostart=False)
    heard = graph.diagnostics()
    assert not graph.change_state(node, 'configure')
    assert node.state() == 'unconfigured'
    assert node.calls == ['configure', 'cleanup']
    told = graph.until(
        lambda: [s for s in reports(heard, 'closed') if 'configure_failed' in s.message],
        'the failure is reported',
    )
    assert 'no checkpoint in /nowhere' in told[0].message
    assert not graph.change_state(node, 'configure')
    assert node.calls == ['configure', 'cleanup'] * 2


def test_a_failed_configure_at_autostart_leaves_the_node_up(graph):
    node = graph.add(Closed, autostart=False)
    node._autostart_now()
    assert node.state() == 'unconfigured'
    assert 'configure_failed' in node.health.standing()


def test_a_failed_activate_deactivates_and_stays_inactive(graph):
    node = graph.add(Probe, autostart=False)
    node.broken = 'activate'
    assert graph.change_state(node, 'configure')
    assert not graph.change_state(node, 'activate')
    assert node.state() == 'inactive' and not node.active
    assert node.calls == ['configure', 'activate', 'deactivate']
    node.broken = ''
    assert graph.change_state(node, 'activate')
    assert node.health.standing() == {}


@pytest.mark.parametrize('broken', ['deactivate', 'cleanup'])
def test_a_node_whose_hooks_raise_still_comes_down(graph, broken):
    node = graph.add(Probe)
    node.broken = broken
    assert graph.change_state(node, 'deactivate')
    assert graph.change_state(node, 'cleanup')
    assert node.state() == 'unconfigured' and not node.configured


def test_close_ceases_and_cleans_up_once(graph):
    node = graph.add(Probe)
    node.close()
    node.close()
    assert node.calls == ['configure', 'activate', 'deactivate', 'cleanup']


def test_a_closed_node_leaves_the_graph_without_the_garbage_collector(graph):
    gc.disable()
    try:
        node = graph.add(Probe)
        graph.until(lambda: 'probe' in graph.peer.get_node_names(), 'the node is known')
        node.close()
        # What only the collector ends, it ends in any line of Python, where it has hung.
        graph.until(lambda: 'probe' not in graph.peer.get_node_names(), 'the node is gone')
    finally:
        gc.enable()


def test_shutdown_by_service_ends_in_finalized(graph):
    node = graph.add(Probe)
    assert graph.change_state(node, 'shutdown') is False  # 5 is for unconfigured nodes only
    assert node.trigger_shutdown() and node.state() == 'finalized'
    assert node.calls[-2:] == ['deactivate', 'cleanup']


def test_a_parameter_out_of_range_is_refused_naming_value_and_range(graph):
    node = graph.add(Probe)
    result = graph.set_parameters(node, rate=5.0)
    assert not result.successful
    assert all(word in result.reason for word in ('rate', '5.0', '20.0', '100.0'))
    assert node.settings['rate'] == 20.0


def test_a_live_parameter_is_applied_and_an_integer_is_taken_for_a_float(graph):
    node = graph.add(Probe)
    assert graph.set_parameters(node, rate=50).successful
    assert node.settings['rate'] == 50.0
    assert node.calls[-1] == ('apply', {'rate': 50.0})


def test_parameters_that_do_not_fit_together_are_refused_but_may_move_together(graph):
    node = graph.add(Probe)
    result = graph.set_parameters(node, low=3.0)
    assert not result.successful and result.reason == 'low = 3.0 is above high = 2.0'
    assert graph.set_parameters(node, low=3.0, high=4.0).successful
    assert (node.settings['low'], node.settings['high']) == (3.0, 4.0)


def test_a_parameter_read_at_configure_is_fixed_until_cleanup(graph):
    node = graph.add(Probe)
    result = graph.set_parameters(node, topics=['b'])
    assert not result.successful and 'clean the node up' in result.reason
    assert graph.change_state(node, 'deactivate') and graph.change_state(node, 'cleanup')
    assert graph.set_parameters(node, topics=['b', 'c']).successful
    assert node.settings['topics'] == ('b', 'c')


def test_a_bad_override_keeps_the_node_unconfigured_until_it_is_set(graph):
    node = graph.add(Probe, autostart=False, rate=500.0)
    assert not graph.change_state(node, 'configure')
    assert (
        'rate is 500.0, expected a number from 20.0 to 100.0 Hz'
        in node.health.standing()['configure_failed']
    )
    assert 'invalid_parameter' in node.health.standing()
    assert graph.set_parameters(node, rate=50.0).successful
    assert graph.change_state(node, 'configure')
    assert node.health.standing() == {}


def test_overrides_that_do_not_fit_together_can_be_mended_one_by_one(graph):
    node = graph.add(Probe, autostart=False, low=9.0, high=1.0)
    assert not graph.change_state(node, 'configure')
    assert graph.set_parameters(node, high=8.0).successful
    assert graph.set_parameters(node, low=7.0).successful
    assert graph.change_state(node, 'configure')


def test_diagnostics_come_in_every_state(graph):
    node = graph.add(Probe, autostart=False)
    heard = graph.diagnostics()
    for transition, state in (('configure', 'inactive'), ('activate', 'active')):
        assert graph.change_state(node, transition)
        graph.until(
            lambda state=state: any(s.message == state for s in reports(heard, 'probe')),
            f'{state} is reported',
        )


def test_a_misspelt_parameter_is_noticed_and_those_of_ros_are_not(graph):
    node = graph.add(Probe, autostart=False, rates=30.0, use_sim_time=False)
    assert node._settings.unknown == ['rates']


def test_a_node_whose_context_is_gone_still_comes_down(graph):
    node = graph.add(Probe)
    graph.context.try_shutdown()
    node.close()
    assert node.calls[-2:] == ['deactivate', 'cleanup']


@pytest.mark.parametrize(
    ('error', 'reason'),
    [(ValueError('width is 0'), 'malformed_message'), (KeyError('bug'), 'callback_error')],
)
def test_what_a_callback_raises_is_counted_by_name_and_goes_no_further(graph, error, reason):
    node = graph.add(Probe)

    def fail(_message):
        raise error

    node.subscribe(Empty, 'in', fail, qos.CONTROL)
    graph.publisher(Empty, 'in', qos.CONTROL).publish(Empty())
    graph.until(lambda: node.health.total(reason), f'{reason} is counted')
    assert node.active and graph.errors == []


def test_live_settings_that_cannot_be_applied_are_a_fault_until_they_can(graph):
    node = graph.add(Probe)
    node.broken = 'apply'
    assert graph.set_parameters(node, rate=30.0).successful
    assert 'apply is broken' in node.health.standing()['apply_failed']
    node.broken = ''
    assert graph.set_parameters(node, rate=40.0).successful
    assert node.health.standing() == {}
