"""`somaseg segment --server`: the files of the local run, told in one line when it cannot be, and continued after."""

import json

import pandas as pd
import pytest
import tifffile


@pytest.fixture
def segment(run, images, tmp_path):
    """Run the command on the folder of images: exit code, standard output, standard error."""

    def segment(output, *more):
        return run("segment", images, "-o", tmp_path / output, "--quiet", *more)

    return segment


def at(server, protocol="rest", model="bright"):
    return ["--server", server.addresses[protocol], "--protocol", protocol, "--model", model]


def labels(folder):
    return {path.name: tifffile.imread(path).tolist() for path in sorted(folder.glob("*_labels.tif"))}


def test_both_protocols_write_what_the_local_run_writes(segment, server, bright_preset, tmp_path):
    assert segment("local", "--preset", bright_preset, "--runtime", "keras")[0] == 0
    expected = labels(tmp_path / "local")
    for protocol in ("rest", "grpc"):
        code, out, err = segment(protocol, *at(server, protocol))
        assert (code, err) == (0, "")
        assert f"server {server.addresses[protocol]}: model bright, {protocol}, 4 tiles at a time" in out
        assert "threshold 0.5 (default 0.5), minimum area 4 px (default 4)" in out
        assert "4 of 4 images done, 48 objects" in out
        assert labels(tmp_path / protocol) == expected
        tables = [pd.read_csv(tmp_path / folder / "objects.csv") for folder in ("local", protocol)]
        pd.testing.assert_frame_equal(*tables)
        facts = json.loads((tmp_path / protocol / "run.json").read_text())
        assert (facts["preset"], facts["runtime"], facts["weights_sha256"]) == ("bright", "server", "0" * 64)
    assert server.most_under_way > 1


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_server_that_dies_half_way_costs_nothing_that_is_done(
    segment, server, model_server, servables, protocol, tmp_path, short_pauses
):
    done = tmp_path / "out" / "1_labels.tif"

    def die():
        if done.exists():
            raise model_server.Failure("UNAVAILABLE", "Socket closed")

    server.before = die
    code, _, err = segment("out", *at(server, protocol))
    assert code == 1
    (line,) = err.splitlines()
    assert "does not answer after 5 retries: " in line
    assert line.endswith("What is done is kept: the same command goes on.")
    made = done.stat().st_mtime_ns
    assert not (tmp_path / "out" / "objects.csv").exists()

    other = model_server.ModelServer(servables)  # the same model at another address
    try:
        code, out, err = segment("out", *at(other, protocol))
    finally:
        other.stop()
    assert (code, err) == (0, "")
    assert "4 of 4 images done, 48 objects" in out
    assert done.stat().st_mtime_ns == made
    assert 0 < other.count < server.count


def test_what_is_wrong_is_told_in_one_line_before_anything_is_written(segment, server, short_pauses, tmp_path):
    for options, message in [
        (at(server, model="cells"), "There is no model cells on"),
        ([*at(server), "--model-version", 3], "has not version 3; it has 1 (available)"),
        ([*at(server), "--tile", 10], "tile_px must be at least"),
        (at(server, model="plain"), "no export of this somaseg"),
        ([*at(server), "--deadline", 0], "deadline_s must be more than 0"),
    ]:
        code, _, err = segment("out", *options)
        errors = [line for line in err.splitlines() if line.startswith("somaseg: error: ")]
        assert code == 1 and errors and message in errors[0], err
        assert "Traceback" not in err
        assert not list((tmp_path / "out").glob("*_labels.tif"))
