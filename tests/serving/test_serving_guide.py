"""docs/serving.md: its commands are run, on a small preset and the test server."""

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "serving.md").read_text()
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.S) for line in block.splitlines()]


def lines(start):
    found = [line for line in SHELL if line.startswith(start)]
    assert found
    return found


def test_the_export_of_the_guide_writes_what_its_table_lists(run, bright_preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (line,) = lines("somaseg export")
    code, out, _ = run(*line.replace("--preset soma", f"--preset {bright_preset}").split()[1:])
    assert code == 0 and "wrote served/bright/1" in out
    for name in re.findall(r"`([\w.-]+\.(?:config|yml))`", GUIDE):
        assert Path("served", name).is_file(), name
    for name in ("tf_serving_warmup_requests", "preprocessor.json", "somaseg.json"):
        assert name in GUIDE and Path("served/bright/1/assets.extra", name).is_file()


def test_the_segmentations_of_the_guide_run(run, server, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in lines("somaseg segment"):
        for port, protocol in (("8501", "rest"), ("8500", "grpc")):
            line = line.replace(f"localhost:{port}", server.addresses[protocol])
        code, out, err = run(*line.replace("--model soma", "--model bright").split()[1:], "--quiet")
        assert code == 0, err
        assert "4 of 4 images done, 48 objects" in out


def test_the_clients_of_the_guide_are_answered(server, images, capsys, monkeypatch):
    (line,) = lines("python examples/serving/client.py")
    monkeypatch.setattr("sys.argv", ["client.py", server.addresses["rest"], "bright", str(images / "0.png")])
    runpy.run_path(str(ROOT / line.split()[1]), run_name="__main__")
    assert capsys.readouterr().out == f"150 x 203 pixels, {12 * 64} of them soma\n"
    (line,) = lines("examples/serving/client.sh")
    if not shutil.which("curl"):
        pytest.skip("no curl")
    command = [ROOT / line.split()[0], server.addresses["rest"], "bright", images / "0.png"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert answer.startswith('{"predictions": ')
    answer = subprocess.run(["curl", "-s", f"http://{server.addresses['rest']}/v1/models/bright"], capture_output=True)
    assert b'"AVAILABLE"' in answer.stdout


def test_the_python_of_the_guide_gives_the_somas(server, somas):
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    block = block.replace("localhost:8501", server.addresses["rest"]).replace('"soma"', '"bright"')
    names = {"image": somas, "batch": np.full((1, 32, 48, 3), 255, np.float32)}
    exec(block, names)
    assert len(names["result"]) == 12
    assert names["maps"]["mask"].shape == (1, 32, 48, 1) and names["maps"]["mask"].min() > 0.9
