"""Fields that know their limits: what fits is kept in the type of its kind."""

import pytest

from somaseg.simulation import MovieParameters, StillParameters


@pytest.mark.parametrize("parameters", [MovieParameters, StillParameters])
def test_a_whole_number_written_with_a_point_is_a_whole_number(parameters):
    changed = parameters(height_px=64.0, bit_depth=8.0)
    assert changed == parameters(height_px=64, bit_depth=8)
    assert [type(changed.height_px), type(changed.bit_depth)] == [int, int]


def test_a_number_that_is_not_whole_is_refused_where_one_must_be():
    with pytest.raises(ValueError, match="height_px must be a whole number from 16 to 4096, got 64.5"):
        MovieParameters(height_px=64.5)


def test_a_list_becomes_a_pair():
    assert MovieParameters(stage_jump_um=[1.0, 2.0]).stage_jump_um == (1.0, 2.0)
    assert StillParameters(cell_count=[2, 5]).cell_count == (2, 5)


def test_a_movie_has_whatever_a_still_of_it_may_have():
    """One frame of a movie is drawn as a still, so what a movie may be set to must be within a still's limits."""
    movie, still = MovieParameters.__dataclass_fields__, StillParameters.__dataclass_fields__
    for name in set(movie) & set(still):
        if "limits" in movie[name].metadata:
            (low, high), (least, most) = movie[name].metadata["limits"], still[name].metadata["limits"]
            assert least <= low and high <= most, name
