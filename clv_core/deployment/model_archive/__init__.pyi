from .archive_reader import read_archive as read_archive
from .import_export import archive_bytes as archive_bytes
from .import_export import export_bundle as export_bundle
from .import_export import import_bundle as import_bundle
from .model_checks import read_population as read_population
