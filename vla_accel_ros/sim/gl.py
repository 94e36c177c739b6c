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


"""Which OpenGL the cameras are rendered with: EGL where it works, else OSMesa.

MuJoCo reads `MUJOCO_GL` once, when it is first imported. `import_mujoco` therefore is the only
place of the package that imports it: it decides first, unless the user has decided already.
"""

from __future__ import annotations

import atexit
import ctypes
import ctypes.util
import importlib
import os
import sys
import threading
import weakref

PACKAGES = 'libegl1 libgl1-mesa-dri libopengl0'
_EGL_PLATFORM_DEVICE_EXT = 0x313F


def _library(*names: str):
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def egl_works() -> bool:
    """Return whether some EGL device can be initialised in this process."""
    egl = _library('libEGL.so.1')
    if egl is None or _library('libOpenGL.so.0', 'libGL.so.1') is None:
        return False
    pointer = ctypes.c_void_p
    egl.eglGetProcAddress.restype = pointer
    egl.eglGetProcAddress.argtypes = [ctypes.c_char_p]
    query = egl.eglGetProcAddress(b'eglQueryDevicesEXT')
    display_of = egl.eglGetProcAddress(b'eglGetPlatformDisplayEXT')
    if not query or not display_of:
        return False
    query = ctypes.CFUNCTYPE(
        ctypes.c_uint, ctypes.c_int, ctypes.POINTER(pointer), ctypes.POINTER(ctypes.c_int)
    )(query)
    display_of = ctypes.CFUNCTYPE(pointer, ctypes.c_uint, pointer, pointer)(display_of)
    egl.eglInitialize.restype = ctypes.c_uint
    egl.eglInitialize.argtypes = [pointer, pointer, pointer]
    devices, count = (pointer * 16)(), ctypes.c_int(0)
    if not query(16, devices, ctypes.byref(count)):
        return False
    for device in devices[: count.value]:
        display = display_of(_EGL_PLATFORM_DEVICE_EXT, device, None)
        if display and egl.eglInitialize(display, None, None):
            return True
    return False


def osmesa_works() -> bool:
    """Return whether OSMesa's library can be loaded."""
    names = ['libOSMesa.so.8', 'libOSMesa.so.6', 'libOSMesa.so']
    found = ctypes.util.find_library('OSMesa')
    return _library(*([found] if found else []), *names) is not None


def choose_backend() -> str | None:
    """Return the user's `MUJOCO_GL`, else 'egl' or 'osmesa', or None when neither works."""
    chosen = os.environ.get('MUJOCO_GL')
    if chosen:
        return chosen.lower()
    if sys.platform != 'linux':
        return 'glfw'
    if egl_works():
        return 'egl'
    return 'osmesa' if osmesa_works() else None


def import_mujoco():
    """Import MuJoCo with a rendering backend that works on this machine.

    Physics needs no OpenGL: where no backend works the import still succeeds, and only
    rendering fails, with the message of `OpenGLError`.

    Returns:
        The `mujoco` module.
    """
    if os.environ.get('MUJOCO_GL'):
        import mujoco

        return mujoco
    backend = choose_backend()
    # 'disable' keeps MuJoCo from opening a window system that is not there.
    os.environ['MUJOCO_GL'] = backend or 'disable'
    late = 'mujoco' in sys.modules
    import mujoco

    if late and backend in ('egl', 'osmesa'):
        # Somebody imported it before, without a choice: it then took the window system.
        context = importlib.import_module(f'mujoco.{backend}').GLContext
        for name in ('mujoco.gl_context', 'mujoco.rendering.classic.gl_context'):
            if name in sys.modules:
                sys.modules[name].GLContext = context
    return mujoco


class OpenGLError(RuntimeError):
    """Nothing can be rendered on this machine."""


def make_renderer(model, height: int, width: int):
    """Make a renderer; one that is still open as the process ends is closed in time.

    Args:
        model: mujoco.MjModel.
        height: Of the picture, pixels.
        width: Of the picture, pixels.

    Returns:
        mujoco.Renderer.

    Raises:
        OpenGLError: When no OpenGL works here; the message names the packages.
    """
    mujoco = import_mujoco()
    try:
        renderer = mujoco.Renderer(model, height=height, width=width)
    except Exception as error:
        raise _no_backend(error) from error
    if threading.current_thread() is threading.main_thread():
        # MuJoCo ends its display at exit. What is freed after that writes an error. Functions
        # run from last to first: this one was registered after MuJoCo's, which the renderer did.
        if not _open:
            atexit.register(_close_all)
        _open.add(renderer)
    return renderer


# Of the main thread: another thread's may be at work until the end.
_open: weakref.WeakSet = weakref.WeakSet()


def _close_all() -> None:
    for renderer in list(_open):
        renderer.close()


def _no_backend(cause: object) -> OpenGLError:
    return OpenGLError(
        f'no OpenGL to render the cameras with ({cause}): EGL and OSMesa both do not work here. '
        f'On Debian or Ubuntu: apt-get install {PACKAGES}. '
        'Or name a backend that works in MUJOCO_GL (egl, osmesa, glfw).'
    )
