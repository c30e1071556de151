"""ImageJ's ROI zip: the outline of each soma in each frame, for the ROI Manager of ImageJ and Fiji."""

import zipfile

import numpy as np
import roifile

from somaseg.files import replace_when_whole
from somaseg.tracking.outlines import outline_polygons


def write_rois(path, labels):
    """Write one polygon per soma and frame as a ROI zip; an existing file is replaced, never added to.

    A ROI is called <track id>_<frame>, the frame counted from 0 as in tracks.csv, and stands at time point frame + 1,
    as ImageJ counts. Polygons run along the edges of pixels, so that ImageJ selects the soma's very pixels (holes are
    filled, and of several pieces the largest is taken). Without any soma the zip is empty.

    Args:
        path: file, usually rois.zip.
        labels: iterable of integer (Y, X), or (T, Y, X); value = track id, 0 = background.

    Returns:
        int, number of ROIs.
    """
    count = 0
    with replace_when_whole(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for frame, image in enumerate(labels):
            for track_id, polygon in outline_polygons(image):
                name = f"{track_id:04d}_{frame:04d}"
                roi = roifile.ImagejRoi.frompoints(np.ascontiguousarray(polygon[:, ::-1]), name=name, t=frame)
                roi.roitype = roifile.ROI_TYPE.POLYGON
                # Without a date, so that the same labels make the same file.
                archive.writestr(zipfile.ZipInfo(f"{name}.roi"), roi.tobytes(), zipfile.ZIP_DEFLATED)
                count += 1
    return count
