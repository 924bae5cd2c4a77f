"""Every metric of kcore, declared once, under upstream's name where upstream has one; each package has its paragraph, at the end.

    metrics.SCHEDULE_ATTEMPTS.inc("scheduled", "default-scheduler")

Exported by ``kcore.serve``, which reads ``declared``. The instruments are in ``kcore.base.metric``.
"""

from kcore.base.metric import Counter, Gauge, Histogram, Metric, exponential_buckets

# client

WORKQUEUE_DEPTH = Gauge("workqueue_depth", "Items that wait in a workqueue.", ["name"])
WORKQUEUE_ADDS = Counter("workqueue_adds_total", "Items added to a workqueue.", ["name"])
WORKQUEUE_RETRIES = Counter("workqueue_retries_total", "Items added again after a failure.", ["name"])
WORKQUEUE_QUEUE_SECONDS = Histogram(
    "workqueue_queue_duration_seconds", "How long an item waits before it is taken.", exponential_buckets(1e-6, 10, 10), ["name"]
)
WORKQUEUE_WORK_SECONDS = Histogram(
    "workqueue_work_duration_seconds", "How long an item is worked on.", exponential_buckets(1e-6, 10, 10), ["name"]
)
REST_CLIENT_REQUESTS = Counter("rest_client_requests_total", "Calls to the API server by their outcome.", ["code"])
REFLECTOR_RELISTS = Counter("kcore_reflector_relists_total", "Times that a reflector read a whole resource.", ["resource"])
REFLECTOR_WATCH_ERRORS = Counter("kcore_reflector_watch_errors_total", "Watch streams that ended with a failure.", ["resource"])
EVENTS_SENT = Counter("kcore_recorder_events_sent_total", "Events that a recorder wrote.", ["component"])
EVENTS_DROPPED = Counter("kcore_recorder_events_dropped_total", "Events that a recorder did not write, by reason.", ["component", "reason"])
LEADER_ELECTION_STATUS = Gauge("leader_election_master_status", "1 while this process leads.", ["name"])


def declared() -> list[Metric]:
    """Return all metrics of this module, in the order of their declaration."""
    return [value for value in globals().values() if isinstance(value, Counter | Gauge | Histogram)]


# base

LOG_LINES = Counter("kcore_log_lines_total", "Lines written to the log, by level.", ["level"])


# apiserver

REQUEST_LABELS = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component")
REQUESTS = Counter(
    "apiserver_request_total",
    "Requests about objects, by what they ask for and the code of the answer; not the items of bulk writes.",
    [*REQUEST_LABELS, "code"],
)
REQUEST_SECONDS = Histogram(
    "apiserver_request_duration_seconds",
    "How long it takes to answer them; of a watch, to open it.",
    exponential_buckets(1e-4, 4, 10),
    REQUEST_LABELS,
)

FLOW_LABELS = ("flow_schema", "priority_level")
FLOW_DISPATCHED = Counter("apiserver_flowcontrol_dispatched_requests_total", "Requests that were let in.", FLOW_LABELS)
FLOW_REJECTED = Counter(
    "apiserver_flowcontrol_rejected_requests_total", "Requests that were refused since too many waited.", [*FLOW_LABELS, "reason"]
)

FLOW_SEATS_NOMINAL = Gauge("apiserver_flowcontrol_nominal_limit_seats", "Seats of each priority level.", ["priority_level"])
FLOW_SEATS_TAKEN = Gauge("apiserver_flowcontrol_current_executing_seats", "Seats that are taken.", FLOW_LABELS)
REQUESTS_WAITING = Gauge("apiserver_current_inqueue_requests", "Requests that wait for their turn.", ["request_kind"])
RESOURCE_LABELS = ("group", "resource")
RESOURCE_OBJECTS = Gauge("apiserver_resource_objects", "Objects that are stored.", RESOURCE_LABELS)
STORAGE_BYTES = Gauge("apiserver_storage_size_bytes", "What the store takes.", ["storage_cluster_id"])
STORAGE_EVENTS = Counter("apiserver_storage_events_received_total", "Changes that the store told of.", RESOURCE_LABELS)
WATCH_CACHE_REVISION = Gauge("apiserver_watch_cache_resource_version", "The newest change that watches know.", RESOURCE_LABELS)
WATCH_EVENTS = Counter("apiserver_watch_events_total", "Events that were sent to watches.", [*RESOURCE_LABELS, "version"])
LONG_RUNNING = Gauge(
    "apiserver_longrunning_requests",
    "Watches that are open.",
    ["component", "group", "resource", "scope", "subresource", "verb", "version"],
)

# scheduler

SCHEDULE_ATTEMPTS = Counter(
    "scheduler_schedule_attempts_total", "Attempts to schedule pods: scheduled, unschedulable or error.", ["result", "profile"]
)
ATTEMPT_SECONDS = Histogram(
    "scheduler_scheduling_attempt_duration_seconds",
    "How long an attempt takes: the decision, and where there is a node the binding, too.",
    exponential_buckets(1e-3, 2, 15),
    ["result", "profile"],
)
SCHEDULING_ALGORITHM_SECONDS = Histogram(
    "scheduler_scheduling_algorithm_duration_seconds",
    "How long the decision for a pod takes: its part of the batch.",
    exponential_buckets(1e-3, 2, 15),
)
EXTENSION_POINT_SECONDS = Histogram(
    "scheduler_framework_extension_point_duration_seconds",
    "How long an extension point takes: Filter (scores included; a pod's part of the batch) and Bind (in bulk).",
    exponential_buckets(1e-4, 2, 12),
    ["extension_point", "status", "profile"],
)
PENDING_PODS = Gauge("scheduler_pending_pods", "Pods that wait for a node: active, backoff, unschedulable or gated.", ["queue"])
SCHEDULER_BATCH_SECONDS = Histogram(
    "kcore_scheduler_batch_duration_seconds", "How long it takes to decide for a batch of pods.", exponential_buckets(1e-5, 4, 8)
)
SCHEDULER_BATCH_PODS = Counter("kcore_scheduler_batch_pods_total", "Pods decided for, the divisor of the duration of batches.")
