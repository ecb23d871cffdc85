"""No network: a namespace of its own, for a kernel and all that it starts.

Run as a program, `offline.py COMMAND…` switches on the loopback device of the namespace that it is in, and becomes the
command: lessons have servers on 127.0.0.1, which is all that is there then.
"""

import fcntl
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys

from jupyter_client.kernelspec import KernelSpecManager

# From <linux/sockios.h> and <linux/if.h>.
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40


def without_network():
    """The command that runs a program with no network, not even a loopback device that is up; `None` if this machine does
    not let us."""
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    return None


def with_loopback_only():
    """The command that runs a program with no network but 127.0.0.1; `None` if this machine does not let us."""
    command = without_network()
    return command and [*command, sys.executable, __file__]


def wrapped_kernel(name, command, directory):
    """Makes a kernelspec that starts this kernel under another command. Gives its name and the `JUPYTER_PATH` to find it by.

    Such a kernel has to be spoken to by sockets in the file system, which reach into another network namespace.
    """
    spec = KernelSpecManager().get_kernel_spec(name).to_dict()
    spec["argv"] = [*command, *spec["argv"]]
    place = pathlib.Path(directory, "jupyter", "kernels", "wrapped")
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps(spec))
    return "wrapped", f"{place.parents[1]}{os.pathsep}{os.environ.get('JUPYTER_PATH', '')}"


def main(command):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
