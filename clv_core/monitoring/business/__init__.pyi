from .findings import Finding as Finding
from .watch import Course as Course
from .watch import Watch as Watch
from .watch import business_watch as business_watch
from .watch import watch_json as watch_json
