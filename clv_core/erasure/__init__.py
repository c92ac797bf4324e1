"""Erasure: customers are erased from a workspace; a certificate lists what was done and what a search still finds.

:mod:`.erase` runs the steps and the final search, and has the table of what is done where; :mod:`.version_erasure` and
:mod:`.file_erasure` change what cannot be made again, :mod:`.file_texts` reads files of any kind. A run that is cut off
is finished by the next one with the same ids. :mod:`.person_file` tells what is held of one customer before that.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
