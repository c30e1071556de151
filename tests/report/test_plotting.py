"""Plots drawn by a process of their own: the same files, the same errors, and nothing left behind."""

import os
import pickle
import signal
import sys
from pathlib import Path

import pytest

from somaseg.report.migration_plots import save_plots
from somaseg.report.plotting import Plotting


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_files_are_those_that_this_process_would_draw(make_movie, tmp_path, monkeypatch):
    migration, result = make_movie(1, 2)
    save_plots(tmp_path / "here", migration, result)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pandas.py").write_text("raise ImportError('not the real one')")
    monkeypatch.chdir(elsewhere)  # what lies about is not imported
    workplace = tmp_path / "workplace"
    workplace.mkdir()
    with Plotting(workplace) as plotting:
        plotting.start()
        plotting.draw(migration, result)
        plotting.finish(tmp_path / "there")
    assert contents(tmp_path / "there") == contents(tmp_path / "here") != {}
    assert (tmp_path / "there").stat().st_mode == (tmp_path / "here").stat().st_mode
    assert not list(workplace.iterdir())


def test_what_goes_wrong_there_is_raised_here(make_movie, tmp_path):
    (tmp_path / "plots").write_text("a file where the folder should be")
    with Plotting(tmp_path) as plotting:
        plotting.draw(*make_movie(1, 2))
        plotting._child.kill()
        with pytest.raises(FileExistsError):
            plotting.finish(tmp_path / "plots")


def test_what_an_ended_process_leaves_is_drawn_here(make_movie, tmp_path):
    with Plotting(tmp_path) as plotting:
        plotting.start()
        os.kill(plotting._child.pid, signal.SIGKILL)
        plotting.draw(*make_movie(1, 2))
        plotting.finish(tmp_path / "plots")
    assert (tmp_path / "plots" / "strips.png").exists()


@pytest.mark.parametrize("executable", ["/nowhere/python3", "/bin/true", "", None])
def test_without_an_interpreter_they_are_drawn_here(make_movie, tmp_path, monkeypatch, executable):
    monkeypatch.setattr("sys.executable", executable)
    with Plotting(tmp_path) as plotting:
        plotting.draw(*make_movie(1, 2))
        plotting.finish(tmp_path / "plots")
    assert (tmp_path / "plots" / "strips.png").exists()


def test_paths_that_are_no_words_and_words_on_standard_output_do_no_harm(make_movie, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("print('hello')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("sys.path", [*sys.path, tmp_path])
    with Plotting(tmp_path) as plotting:
        plotting.draw(*make_movie(1, 2))
        assert plotting._drawn()
        plotting.finish(tmp_path / "plots")
    assert (tmp_path / "plots" / "strips.png").exists()


def test_who_else_holds_the_pipe_does_not_matter(make_movie, tmp_path, monkeypatch):
    monkeypatch.setattr("somaseg.report.plotting._LONGEST_S", 60.0)
    with Plotting(tmp_path) as plotting:
        plotting.start()
        other = os.dup(plotting._child.stdin.fileno())  # as a process that was forked meanwhile has it
        plotting.draw(*make_movie(1, 2))
        assert plotting._drawn()
        os.close(other)


def test_what_lies_in_the_working_folder_is_not_taken_for_what_to_draw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("asked.pickle").write_bytes(pickle.dumps(Touch()))
    with Plotting(tmp_path) as plotting:
        plotting.start()
        plotting._child.stdin.close()  # the parent died before it asked
        assert not plotting._drawn()
    assert not Path("touched").exists()


class Touch:
    def __reduce__(self):
        return open, ("touched", "w")


def test_the_process_ends_with_the_block_when_its_plots_are_no_longer_wanted(make_movie, tmp_path):
    with pytest.raises(KeyboardInterrupt), Plotting(tmp_path) as plotting:
        plotting.draw(*make_movie(1, 2))
        raise KeyboardInterrupt
    assert plotting._child.poll() == -signal.SIGKILL
    assert not list(tmp_path.iterdir())


def test_a_frozen_program_draws_itself(make_movie, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.frozen", True, raising=False)
    with Plotting(tmp_path) as plotting:
        plotting.draw(*make_movie(1, 2))
        plotting.finish(tmp_path / "plots")
    assert plotting._child is None
    assert (tmp_path / "plots" / "strips.png").exists()
