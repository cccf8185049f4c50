"""What a confined process still needs: the program itself, and a few variables."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/X11/fonts")
_DEVICES = ("/dev/null", "/dev/urandom")
_PACKAGES = ("site-packages", "dist-packages")
_PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def readable() -> list[Path]:
    """What `confine` should leave readable: the interpreter, libraries, installed packages, this one, and fonts."""
    roots = [*_LIBRARIES, *_FONTS, *_DEVICES]
    roots += [f"{prefix}/lib" for prefix in (sys.prefix, sys.base_prefix)]
    roots += [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    roots += [entry for entry in sys.path if Path(entry).name in _PACKAGES]
    return [*map(Path, roots), Path(__file__).parents[1]]


def environment() -> dict[str, str]:
    """All that such a process gets of this one's environment: no settings, no credentials, no proxies."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | dict.fromkeys(_ONE_THREAD, "1")
