"""Comparisons of groups: what is counted, in pairs or not, what is warned of, how often equal groups are told apart."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from somaseg.migration.groups.comparing import GroupParameters, compare_groups
from somaseg.migration.groups.comparison_files import write_comparison
from somaseg.migration.groups.mean_tests import compare_means

SPEED = "mean_speed_um_per_h"
NO_MODELS = GroupParameters(quantities=(SPEED,), models=False)


def row_of(comparison, name=SPEED):
    return comparison.table.set_index("quantity").loc[name]


def test_the_default_counts_lines_and_says_how_many_there_are_at_each_level(nested_cells, study_of):
    cells = nested_cells()
    row = row_of(compare_groups(study_of(cells), NO_MODELS))
    means = cells.groupby(["condition", "line"])[SPEED].mean()
    assert row["p_value"] == pytest.approx(stats.ttest_ind(means["other"], means["control"], equal_var=False).pvalue)
    assert (row["level"], row["n_units"], row["n_units_reference"]) == ("line", 3, 3)
    assert (row["n_lines"], row["n_assembloids"], row["n_cells"]) == (3, 12, 60)
    assert row["minutes_per_frame"] == 15.0


def test_more_cells_of_the_same_kind_are_no_more_evidence(nested_cells, study_of):
    cells = nested_cells()
    tenfold = pd.concat([cells] * 10, ignore_index=True)
    once, often = (row_of(compare_groups(study_of(table), NO_MODELS)) for table in (cells, tenfold))
    assert often["p_value"] == pytest.approx(once["p_value"]) and often["n_cells"] == 10 * once["n_cells"]


def test_equal_groups_are_told_apart_as_often_as_the_level_says_on_lines_and_far_more_often_on_assembloids():
    rng = np.random.default_rng(0)
    found = {"lines": 0, "assembloids": 0}
    for _ in range(300):
        # 2 groups x 3 lines x 4 assembloids; lines differ as much as assembloids of a line do.
        assembloids = 10 + rng.normal(0, 1, (2, 3, 1)) + rng.normal(0, 1, (2, 3, 4))
        found["lines"] += compare_means(*assembloids.mean(axis=2)).p_value < 0.05
        found["assembloids"] += compare_means(*assembloids.reshape(2, 12)).p_value < 0.05
    assert found["lines"] / 300 < 0.07
    assert found["assembloids"] / 300 > 0.15


def test_with_one_line_the_test_counts_assembloids_and_says_what_that_means(nested_cells, study_of):
    comparison = compare_groups(study_of(nested_cells(lines=1)), NO_MODELS)
    assert (row_of(comparison)["level"], row_of(comparison)["n_units"]) == ("assembloid", 4)
    assert any(
        "Too few lines in other and control (1), so the test counts assembloids" in text for text in comparison.warnings
    )


def test_assembloids_in_place_of_lines_are_counted_only_when_asked_for_and_with_a_warning(nested_cells, study_of):
    parameters = GroupParameters(quantities=(SPEED,), models=False, level="assembloid")
    comparison = compare_groups(study_of(nested_cells()), parameters)
    assert row_of(comparison)["n_units"] == 12
    assert any("between two equal groups" in text for text in comparison.warnings)


def test_lines_that_are_in_both_conditions_are_compared_with_themselves(nested_cells, study_of):
    cells = nested_cells(same_lines=True, effect=1.0)
    comparison = compare_groups(study_of(cells), NO_MODELS)
    means = cells.groupby(["condition", "line"])[SPEED].mean()
    row = row_of(comparison)
    assert row["p_value"] == pytest.approx(stats.ttest_rel(means["other"], means["control"]).pvalue)
    assert (row["test"], row["paired_by"]) == ("paired t test", "line")
    assert any("taken for the same line" in text for text in comparison.warnings)
    unpaired = GroupParameters(quantities=(SPEED,), models=False, paired=False)
    assert row_of(compare_groups(study_of(cells), unpaired))["test"] == "Welch's t test"


def test_a_column_pair_joins_isogenic_lines_and_leaves_out_those_without_a_partner(nested_cells, study_of):
    cells = nested_cells(lines=4)
    cells["pair"] = "donor" + cells["line"].str[-1]
    cells = cells[cells["line"] != "other3"]
    comparison = compare_groups(study_of(cells), NO_MODELS)
    means = cells[cells["pair"] != "donor3"].groupby(["condition", "pair"])[SPEED].mean()
    row = row_of(comparison)
    assert row["p_value"] == pytest.approx(stats.ttest_rel(means["other"], means["control"]).pvalue)
    assert (row["paired_by"], row["n_units"]) == ("pair", 3)
    assert any("partner is missing: donor3" in text for text in comparison.warnings)


def test_a_line_in_both_conditions_among_others_is_told(nested_cells, study_of):
    cells = nested_cells().replace({"line": {"other0": "control0"}})
    comparison = compare_groups(study_of(cells), NO_MODELS)
    assert row_of(comparison)["test"] == "Welch's t test"
    assert any("Line control0 appears in more than one condition" in text for text in comparison.warnings)
    assert any("compared as if all were different" in text for text in comparison.warnings)


def test_different_frame_intervals_of_the_conditions_are_warned_of_beside_saltation_numbers(nested_cells, study_of):
    study = study_of(nested_cells(), minutes={"control": 5.0, "other": 20.0})
    comparison = compare_groups(study, GroupParameters(models=False))
    assert any("control: 5 min; other: 20 min" in text for text in comparison.warnings)
    row = row_of(comparison, "saltation_frequency_per_h")
    assert "frame intervals differ" in row["warnings"] and "too long for how often other jumps" in row["warnings"]
    assert (row["minutes_per_frame"], row["minutes_per_frame_reference"]) == (20.0, 5.0)
    assert row_of(comparison)["warnings"] == ""


def test_two_lines_a_group_are_tested_and_one_is_not_with_a_warning(nested_cells, study_of):
    row = row_of(compare_groups(study_of(nested_cells(lines=2)), NO_MODELS))
    assert np.isfinite(row["p_value"]) and "Only 2 lines" in row["warnings"]
    row = row_of(compare_groups(study_of(nested_cells(lines=1, assembloids=1)), NO_MODELS))
    assert np.isnan(row["p_value"]) and "no test is possible" in row["warnings"]


def test_three_conditions_are_each_compared_with_the_reference_and_corrected_by_holm(nested_cells, study_of):
    cells = nested_cells(conditions=("a", "b", "c"), seed=2)
    comparison = compare_groups(study_of(cells), GroupParameters(reference="b", quantities=(SPEED,), models=False))
    assert comparison.table["condition"].tolist() == ["a", "c"]
    assert (comparison.table["reference"] == "b").all()
    low, high = sorted(comparison.table["p_value"])
    assert sorted(comparison.table["p_value_holm"]) == pytest.approx(
        sorted([min(2 * low, 1), max(high, min(2 * low, 1))])
    )


def test_models_stand_beside_the_test(nested_cells, study_of):
    parameters = GroupParameters(quantities=("saltation_frequency_per_h", SPEED))
    comparison = compare_groups(study_of(nested_cells(seed=1, effect=2.0)), parameters)
    speed, frequency = row_of(comparison), row_of(comparison, "saltation_frequency_per_h")
    assert speed["mixed_difference"] == pytest.approx(speed["difference"], rel=1e-3)
    assert frequency["count_ratio"] == pytest.approx(frequency["ratio"], rel=1e-6)
    assert speed["count_note"] == "not a frequency"


@pytest.mark.parametrize(
    "parameters, told",
    [
        ({"reference": "mutant"}, "reference must be one of control, other, got 'mutant'"),
        ({"quantities": ("outreach",)}, "no cell of the study has a outreach"),
        ({"paired": True}, "control cannot be paired|control and|cannot be paired"),
    ],
)
def test_what_cannot_be_compared_is_refused(nested_cells, study_of, parameters, told):
    with pytest.raises(ValueError, match=told):
        compare_groups(study_of(nested_cells()), GroupParameters(models=False, **parameters))


def test_a_study_of_one_condition_or_without_cells_is_refused(nested_cells, study_of):
    cells = nested_cells()
    with pytest.raises(ValueError, match="needs two conditions, the study has control"):
        compare_groups(study_of(cells[cells["condition"] == "control"]))
    study = study_of(cells)
    study.cells.drop(study.cells.index, inplace=True)
    with pytest.raises(ValueError, match="not one cell"):
        compare_groups(study)


@pytest.mark.parametrize("wrong", [{"level": "cell"}, {"confidence": 95.0}, {"quantities": ("speed",)}])
def test_parameters_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).removesuffix("ies")):
        GroupParameters(**wrong)


def test_files_say_simulated_and_hold_what_was_found(nested_cells, study_of, tmp_path):
    comparison = compare_groups(study_of(nested_cells(), simulated=True), NO_MODELS)
    write_comparison(tmp_path / "out", comparison)
    table, units = (pd.read_csv(tmp_path / "out" / name) for name in ("comparison.csv", "units.csv"))
    assert table["simulated"].all() and units["simulated"].all()
    assert len(units) == 24 + 6
    assert '"simulated": true' in (tmp_path / "out" / "comparison.json").read_text()
    with pytest.raises(FileExistsError, match="--overwrite"):
        write_comparison(tmp_path / "out", comparison)
