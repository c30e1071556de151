"""Opening a preset on a runtime: it is converted once, kept, told, and nothing wrong is taken over."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from somaseg.runtimes import choosing, converting, fastest, open_runtime, opening
from somaseg.runtimes.choosing import check_runtime, thread_count
from somaseg.segmentation import Segmenter

needs_onnx = pytest.mark.skipif(not choosing.is_installed("onnx"), reason="needs the extra [onnx]: somaseg[onnx]")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SOMASEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@needs_onnx
def test_a_preset_is_converted_once_and_kept(bright_preset, cache):
    told = []
    open_runtime(bright_preset, "onnx", note=told.append)
    assert told == ["converting the preset bright for onnx, once"]
    (kept,) = cache.iterdir()
    before = kept.stat().st_mtime_ns
    open_runtime(bright_preset, "onnx", note=told.append)
    assert (len(told), kept.stat().st_mtime_ns) == (1, before)


@needs_onnx
def test_other_weights_are_converted_anew(bright_preset, random_unet, cache, tmp_path):
    random_unet(filters=1, depth=2).save_to_preset(tmp_path / "other")
    batch = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype(np.float32)
    first = open_runtime(bright_preset, "onnx")(batch)["mask"]
    second = open_runtime(tmp_path / "other", "onnx")(batch)["mask"]
    assert len(list(cache.iterdir())) == 2
    assert np.abs(first - second).max() > 0.01


@needs_onnx
def test_weights_that_were_damaged_are_noticed_though_the_model_is_kept(random_unet, cache, tmp_path):
    random_unet(filters=1, depth=2).save_to_preset(tmp_path / "small")
    open_runtime(tmp_path / "small", "onnx")
    with open(tmp_path / "small" / "model.weights.h5", "ab") as file:
        file.write(b"more")
    for runtime in ("onnx", "auto"):
        with pytest.raises(ValueError, match="is damaged"):
            open_runtime(tmp_path / "small", runtime)


@needs_onnx
@pytest.mark.parametrize("damage", ["cut off", "one bit", "empty"])
def test_a_kept_model_that_is_damaged_is_converted_again(bright_preset, cache, damage):
    batch = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype(np.float32)
    expected = open_runtime(bright_preset, "onnx")(batch)["mask"]
    (kept,) = cache.iterdir()
    content = bytearray(kept.read_bytes())
    changed = {
        "cut off": content[:-9],
        "empty": b"",
        "one bit": content[:-50] + bytes([content[-50] ^ 1]) + content[-49:],
    }
    kept.write_bytes(changed[damage])
    assert opening.needs_framework(bright_preset, "onnx")
    told = []
    np.testing.assert_array_equal(open_runtime(bright_preset, "onnx", note=told.append)(batch)["mask"], expected)
    assert told == ["converting the preset bright for onnx, again: the one that was kept is damaged"]
    assert kept.read_bytes() == bytes(content)


@needs_onnx
def test_a_cache_that_cannot_be_written_is_told_and_does_without(bright_preset, cache):
    cache.write_text("a file where the folder should be")
    told = []
    run = open_runtime(bright_preset, "onnx", note=told.append)
    assert run(np.full((1, 16, 16, 3), 255, np.float32))["mask"].min() > 0.9
    assert "is not kept" in told[1]


def test_a_conversion_that_fails_names_the_way_out_and_auto_goes_on_to_keras(bright_preset, cache, monkeypatch):
    def fail(folder, form):
        raise converting.ConversionError(f"no {form} today. Use --runtime keras.")

    monkeypatch.setattr(converting, "_converted", fail)
    monkeypatch.setattr(choosing, "is_installed", lambda name: True)
    monkeypatch.setattr(opening, "is_installed", lambda name: True)
    monkeypatch.setattr(fastest, "installed_version", lambda name: "1.0")
    with pytest.raises(ValueError, match="Use --runtime keras"):
        open_runtime(bright_preset, "litert")
    told = []
    assert open_runtime(bright_preset, "auto", note=told.append).name == "keras"
    assert [line.split(" ")[0] for line in told if "cannot be used" in line] == ["litert", "onnx", "openvino"]


def test_a_runtime_that_is_not_installed_names_its_extra(monkeypatch):
    monkeypatch.setattr(choosing, "is_installed", lambda name: name == "keras")
    assert check_runtime("keras") == "keras"
    with pytest.raises(ImportError, match=r'openvino and onnx\. .*"somaseg\[openvino\]"'):
        check_runtime("openvino")


def test_an_unknown_runtime_is_refused():
    with pytest.raises(ValueError, match="runtime must be auto, keras, litert, onnx, openvino, got 'torch'"):
        check_runtime("torch")


@pytest.mark.parametrize("given, expected", [("3", 3), ("2,1", 2), ("", None), ("0", None), ("many", None)])
def test_omp_num_threads_is_honoured(monkeypatch, given, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.setattr(choosing, "_CGROUPS", Path("/absent"))
    assert thread_count() == (expected or len(choosing.os.sched_getaffinity(0)))


@pytest.mark.parametrize(
    "files, expected",
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "9900000 100000\n"}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({}, 8),
    ],
)
def test_the_share_of_a_container_is_honoured(monkeypatch, tmp_path, files, expected):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(choosing, "_CGROUPS", tmp_path)
    monkeypatch.setattr(choosing.os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert thread_count() == expected


@pytest.mark.parametrize(
    "environment, expected",
    [
        ({"SOMASEG_CACHE": "/a"}, "/a"),
        ({"SOMASEG_CACHE": "", "XDG_CACHE_HOME": "/x"}, "/x/somaseg"),
        ({"SOMASEG_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/somaseg"),
    ],
)
def test_where_converted_models_are_kept(monkeypatch, environment, expected):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(converting.cache_folder()) == expected


def test_the_segmenter_takes_any_function_that_gives_maps():
    def by_brightness(batch):
        assert batch.dtype == np.float32 and batch.shape[1] % 4 == 0
        return {"mask": batch[..., :1] / 255}

    image = np.full((32, 40), 10, np.uint8)
    image[4:9, 6:11] = 200
    segmenter = Segmenter(predict=by_brightness, depth=3, minimum_area_px=4)
    assert (len(segmenter(image)), segmenter.runtime, segmenter.network) == (1, "predict", None)


def test_the_segmenter_takes_one_of_network_and_predict(bright_network):
    with pytest.raises(ValueError, match="either a network or predict"):
        Segmenter()
    with pytest.raises(ValueError, match="either a network or predict"):
        Segmenter(bright_network, predict=lambda batch: {})
    with pytest.raises(ValueError, match="predict must be a function"):
        Segmenter(predict="onnx")


@needs_onnx
def test_segmenting_with_a_kept_model_imports_no_framework(bright_preset, cache, tmp_path):
    open_runtime(bright_preset, "onnx")
    image = np.full((32, 40), 10, np.uint8)
    image[4:9, 6:11] = 200
    cv2.imwrite(str(tmp_path / "a.png"), image)
    arguments = ["segment", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), "--preset", str(bright_preset)]
    code = (
        "import sys; from somaseg.cli import main; "
        f"assert main({[*arguments, '--runtime', 'onnx', '--quiet']!r}) == 0; "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "runtime: onnx" in done.stdout
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (run["runtime"], run["precision"], run["objects"]) == ("onnx", "f32", 1)


def test_auto_says_which_runtime_it_took(run, bright_preset, tmp_path):
    image = np.full((32, 40), 10, np.uint8)
    image[4:9, 6:11] = 200
    cv2.imwrite(str(tmp_path / "a.png"), image)
    code, out, _ = run("segment", tmp_path / "a.png", "-o", tmp_path / "out", "--preset", bright_preset)
    assert code == 0
    facts = json.loads((tmp_path / "out" / "run.json").read_text())
    how = " in bfloat16" if facts["precision"] == "bf16" else ""
    assert f"runtime: {facts['runtime']}{how} (the fastest that is installed)" in out


@pytest.mark.parametrize("capabilities, expected", [(["BF16", "FP32"], "bf16"), (["FP32", "INT8"], "f32")])
def test_openvino_computes_in_bfloat16_where_the_processor_has_it(
    bright_preset, cache, monkeypatch, capabilities, expected
):
    openvino = pytest.importorskip("openvino", reason="needs the extra [openvino]: somaseg[openvino]")
    asked = []

    class Core(openvino.Core):
        def get_property(self, device, name):
            assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
            return capabilities

        def compile_model(self, model, device, settings):
            asked.append(settings["INFERENCE_PRECISION_HINT"])
            return super().compile_model(model, device, settings)

    monkeypatch.setattr(openvino, "Core", Core)
    segmenter = Segmenter.from_preset(bright_preset, runtime="openvino")
    assert (asked, segmenter.runtime, segmenter.precision) == ([expected], "openvino", expected)


class _Slow:
    """A runtime that takes its time, by the clock that `time_runtimes` reads."""

    depth = 2

    def __init__(self, name, seconds, clock):
        self.name, self.seconds, self.clock, self.calls = name, seconds, clock, 0

    def __call__(self, batch):
        self.calls += 1
        self.clock[0] += next(self.seconds)
        return {"mask": batch[..., :1]}


@pytest.fixture
def slow_runtimes(monkeypatch, cache):
    """Three runtimes of which onnx is the fastest, though one of its rounds is disturbed; where they are opened."""
    clock, opened = [0.0], []
    monkeypatch.setattr(fastest.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(opening, "is_installed", lambda name: True)
    monkeypatch.setattr(fastest, "installed_version", lambda name: "1.0")
    seconds = {"litert": [5, 3, 3, 3], "onnx": [9, 2, 7, 2], "openvino": [1, 4, 4, 4]}

    def opener(name):
        def open_it(folder, note):
            opened.append(name)
            return _Slow(name, iter(seconds[name]), clock)

        return open_it

    monkeypatch.setattr(opening, "_OPEN", {name: opener(name) for name in seconds})
    return opened


def test_auto_times_the_runtimes_once_and_takes_the_fastest(bright_preset, slow_runtimes):
    told = []
    assert open_runtime(bright_preset, "auto", note=told.append).name == "onnx"
    assert told == ["one image of 512 x 512: onnx 2000 ms, litert 3000 ms, openvino 4000 ms"]
    assert slow_runtimes == ["litert", "onnx", "openvino"]
    assert open_runtime(bright_preset, "auto", note=told.append).name == "onnx"
    assert (slow_runtimes[3:], len(told)) == (["onnx"], 1)


@pytest.mark.parametrize("change", ["threads", "version", "network"])
def test_auto_times_them_anew_where_the_choice_may_be_another(
    change, bright_preset, random_unet, slow_runtimes, monkeypatch, tmp_path
):
    open_runtime(bright_preset, "auto")
    preset = bright_preset
    if change == "threads":
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
    elif change == "version":
        monkeypatch.setattr(fastest, "installed_version", lambda name: "1.1")
    else:
        random_unet(filters=1, depth=3).save_to_preset(tmp_path / "deeper")
        preset = tmp_path / "deeper"
    open_runtime(preset, "auto")
    assert slow_runtimes[3:] == ["litert", "onnx", "openvino"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fastest": "abacus"}'])
def test_a_kept_choice_that_is_damaged_is_made_anew(content, bright_preset, slow_runtimes, cache):
    open_runtime(bright_preset, "auto")
    (kept,) = cache.glob("fastest-*.json")
    kept.write_text(content)
    assert open_runtime(bright_preset, "auto").name == "onnx"
    assert json.loads(kept.read_text())["fastest"] == "onnx"


def test_the_next_is_taken_where_the_fastest_fails_later(bright_preset, slow_runtimes, monkeypatch):
    open_runtime(bright_preset, "auto")

    def fail(folder, note):
        raise RuntimeError("no such instruction")

    monkeypatch.setitem(opening._OPEN, "onnx", fail)
    told = []
    assert open_runtime(bright_preset, "auto", note=told.append).name == "litert"
    assert told[0] == "onnx cannot be used: no such instruction"


def test_one_that_fails_at_work_is_passed_over_and_the_choice_is_not_kept(bright_preset, slow_runtimes, monkeypatch):
    class Broken(_Slow):
        def __call__(self, batch):
            raise RuntimeError("no such instruction")

    monkeypatch.setitem(opening._OPEN, "onnx", lambda folder, note: Broken("onnx", iter([]), [0.0]))
    told = []
    assert open_runtime(bright_preset, "auto", note=told.append).name == "litert"
    assert told[0] == "onnx cannot be used: no such instruction"
    open_runtime(bright_preset, "auto")
    assert slow_runtimes == ["litert", "openvino"] * 2
