from .findings import Finding as Finding
from .watched_business import Course as Course
from .watched_business import Watch as Watch
from .watched_business import business_watch as business_watch
from .watched_business import watch_json as watch_json
