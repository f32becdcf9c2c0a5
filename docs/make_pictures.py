"""Make the pictures of the README from finished runs.

    python docs/make_pictures.py outputs/fashion_mnist/cnn

The learning curves are drawn from the journals below the folder; the passive baseline is the run
named `passive`. The screenshot is TensorBoard on that folder in headless Chromium, and is left out
where there is no Chromium.
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

from al_lightning import Journal
from al_lightning.report.curves import learning_curves

DOCS = Path(__file__).parent
CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--window-size=1500,1000", "--virtual-time-budget=20000")  # fmt: skip


def main() -> None:
    """Make both pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="outputs/<dataset>/<model>")
    folder: Path = parser.parse_args().folder
    journals = {path.parents[1].name: Journal(path) for path in folder.glob("*/*/journal.jsonl")}
    passive = journals.pop("passive", None)
    runs = dict(sorted(journals.items(), key=lambda run: -run[1].rounds[-1]["metrics"]["accuracy"]))
    dataset, model = folder.resolve().parts[-2:]
    figure = learning_curves(runs, passive, title=f"{dataset} with {model}")
    figure.savefig(DOCS / "learning_curves.svg")
    if browser := shutil.which("chromium"):
        screenshot(browser, folder, DOCS / "tensorboard.png")


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
