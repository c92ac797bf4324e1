from .import_export import export_bundle as export_bundle
from .import_export import import_bundle as import_bundle
