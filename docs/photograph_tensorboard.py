"""Photographs TensorBoard on finished runs, in headless Chromium: docs/tensorboard.png.

    python docs/photograph_tensorboard.py outputs/fashion_mnist/cnn

The other pictures come from `make study-report` and `benchmarks/page_session.py`.
"""

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--window-size=1500,1000", "--virtual-time-budget=20000")  # fmt: skip


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="outputs/<dataset>/<model>")
    folder: Path = parser.parse_args().folder
    browser = shutil.which("chromium")
    if browser is None:
        parser.error("this needs Chromium")
    screenshot(browser, folder, Path(__file__).with_name("tensorboard.png"))


def screenshot(browser: str, folder: Path, picture: Path) -> None:
    """Photograph TensorBoard's scalars of a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
    server = subprocess.Popen([*command, "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address)
        with tempfile.TemporaryDirectory() as profile:
            options = [*CHROMIUM, f"--user-data-dir={profile}", f"--screenshot={picture.resolve()}"]
            page = f"{address}/#scalars&tagFilter=labels%2F&_smoothingWeight=0"
            subprocess.run([browser, *options, page], check=True, stderr=subprocess.DEVNULL)
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str) -> None:
    """Wait until a server answers, and has read its files."""
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/data/runs").read()
        except OSError:
            time.sleep(0.5)
        else:
            time.sleep(5)
            return
    raise TimeoutError(address)


if __name__ == "__main__":
    main()
