"""Which channel and which depth of a movie is analysed: said by a person, never guessed."""

import numpy as np

_COLOURS = ("red", "green", "blue")


class PlanesNotChosenError(ValueError):
    """There are several channels or slices in depth, and none was chosen.

    Attributes:
        found: str, such as "3 channels".
        may_be_time: bool, whether the slices may be the frames.
    """

    def __init__(self, message, found, *, may_be_time=False):
        super().__init__(message)
        self.found, self.may_be_time = found, may_be_time


class PlaneChoice:
    """One image per frame out of a file's planes.

    Attributes:
        frames: int, number of frames announced.
        whole: bool (frames,), which of them have all the planes that they need.
        shape: (Y, X) or (Y, X, 3) of a frame.
        words: list of str, what was chosen.
    """

    def __init__(self, path, planes, *, channel=None, z=None):
        """
        Args:
            path: what an error calls the movie.
            planes: `Planes`.
            channel: int from 0, or a channel's name, or None when there is only one (or colour).
            z: int from 0, "max" for the brightest along z, "time" when the file took time for depth, or None.

        Raises:
            PlanesNotChosenError: there are several and none was chosen.
            ValueError: the chosen one is not there.
        """
        self._planes = planes
        frames, slices, channels = planes.available.shape
        self._colour = None
        self.words = []
        self._channel = self._choose_channel(path, channel, channels)
        self._z, swapped = self._choose_z(path, z, frames, slices)
        if swapped:
            available = planes.available[0, :, self._channel][:, None]
        elif self._z == "max":
            available = planes.available[:, :, self._channel]
        else:
            available = planes.available[:, [self._z], self._channel]
        self._swapped = swapped
        self.whole = available.all(axis=1)
        self.frames = len(available)
        self.shape = planes.shape if self._colour is None else planes.shape[:2]

    def read(self, t):
        """Frame `t`, an array of `shape`."""
        if self._swapped:
            image = self._planes.read(0, t, self._channel)
        elif self._z == "max":
            image = self._planes.read(t, 0, self._channel)
            for z in range(1, self._planes.available.shape[1]):
                image = np.maximum(image, self._planes.read(t, z, self._channel))
        else:
            image = self._planes.read(t, self._z, self._channel)
        return image if self._colour is None else np.ascontiguousarray(image[..., self._colour])

    def _choose_channel(self, path, channel, channels):
        names = self._planes.channel_names
        if channels == 1 and len(self._planes.shape) == 3:
            if channel is not None:
                self._colour = _index_of(path, channel, 3, _COLOURS, "channel")
                self.words.append(f"colour channel {self._colour} ({_COLOURS[self._colour]})")
            else:
                self.words.append("colour (red, green, blue)")
            return 0
        if channel is None:
            if channels > 1:
                many = channels > 4 and self._planes.available.shape[:2] == (1, 1)
                hint = " If they are frames, re-order them in Fiji (Image > Hyperstacks > Re-order)." if many else ""
                raise PlanesNotChosenError(
                    f"{path}: it has {channels} channels: {_listed(channels, names)}. Say which with --channel.{hint}",
                    f"{channels} channels",
                )
            return 0
        chosen = _index_of(path, channel, channels, names, "channel")
        if channels > 1:
            self.words.append(f"channel {_named(chosen, names)} of {channels}")
        return chosen

    def _choose_z(self, path, z, frames, slices):
        if z is None and slices > 1:
            found = f"{slices} slices in depth (z)"
            if frames == 1:
                raise PlanesNotChosenError(
                    f"{path}: it says that it is one time point of {found}. If these are the frames of a movie, say so "
                    "with --z time; else it is no movie.",
                    found,
                    may_be_time=True,
                )
            raise PlanesNotChosenError(
                f"{path}: it has {found}. Give --z max for the brightest along z, or --z with a number from 0 to "
                f"{slices - 1}.",
                found,
            )
        if str(z).lower() == "time":
            if frames > 1:
                raise ValueError(f"{path}: --z time is for files without a time axis; this one has {frames} frames.")
            if slices > 1:
                self.words.append("depth (z) of the file taken as time")
            return 0, slices > 1
        if str(z).lower() == "max":
            if slices > 1:
                self.words.append(f"brightest of {slices} slices")
            return "max", False
        if z is None:
            return 0, False
        chosen = _index_of(path, z, slices, (), "z", also=', "max" or "time"')
        if slices > 1:
            self.words.append(f"slice {chosen} of {slices}")
        return chosen, False


def _index_of(path, value, count, names, flag, *, also=""):
    text = str(value).strip()
    alike = [index for index, name in enumerate(names) if name.lower() == text.lower()]
    if len(alike) == 1:
        return alike[0]
    if text.isdecimal() and int(text) < count and not isinstance(value, bool):
        return int(text)
    raise ValueError(f"{path}: --{flag} must be one of {_listed(count, names)}{also}, counted from 0; got {value!r}.")


def _listed(count, names):
    if not names and count > 4:
        return f"0 to {count - 1}"
    return ", ".join(_named(index, names) for index in range(count))


def _named(index, names):
    return f"{index} ({names[index]})" if index < len(names) and names[index] else str(index)
