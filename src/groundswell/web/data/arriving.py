"""Files on their way in: written to disk as they arrive, from whoever may hand them over, up to the size of policy."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler

from groundswell.web.shell.page import allowed, home, staff


class Arriving(TemporaryFileUploadHandler):
    """Takes the bytes of an upload. They are read before any view is asked, so who may send them is asked here."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Raises PermissionDenied for whoever may not take data in."""
        request = self.request
        if request is None or not request.user.is_authenticated or not allowed(staff(request), "take in data"):
            raise PermissionDenied("To take in data is for operations and administrator.")
        self.limit = home().policy.instance.limits["upload_bytes"]
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece; the file is left out once it is larger than it may be."""
        if start + len(raw_data) > self.limit:
            if self.request is not None:
                vars(self.request)["too_large"] = self.limit
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)
