"""Every bound of kcore, with its unit in its name and its reason below it.

A number that limits, waits or repeats belongs here, not where it is used; each package has its paragraph, in the order of the
layers. What Kubernetes fixes says so, since clients rely on it.
"""

from typing import Final

# base

NAME_SUFFIX_LENGTH: Final = 5
"""Fixed by Kubernetes: generateName appends five characters (27^5 = 14 million names per prefix)."""

UIDS_DRAWN_AT_ONCE: Final = 256
"""A call into the kernel costs as much as the rest of a create."""

VIRTUAL_TIME_START_S: Final = 1_767_225_600.0
"""Where virtual wall clocks start: 2026-01-01T00:00:00Z, recent enough that certificates made for a run are valid."""

LOG_FILE_BYTES_MAX: Final = 32 << 20
"""A part's log is turned over at this size and one old file is kept: five parts stay under 400 MB, and a day of warnings fits."""

LOG_VALUE_CHARS_MAX: Final = 2_000
"""A value in a log line is cut here: a whole object in an error must not make lines that no tool reads."""

LOCK_UNKNOWN_HOLDER_TIMEOUT_S: Final = 1.0
"""A lock that is taken, by nobody who is known to live, is waited for so long: taking it and saying so are two steps."""

LOCK_RETRY_S: Final = 0.005
"""The pause between two looks at such a lock."""

PART_START_TIMEOUT_S: Final = 300.0
"""A part that is not ready by then has failed: 10,000 hollow nodes register in under a minute on two busy cores."""

SLOW_START_S: Final = 10.0
"""A part that is not ready after this time says in its log what it waits for; a start takes about one second."""

PART_STOP_TIMEOUT_S: Final = 10.0
"""A part asked to stop has this long before it is killed: closing streams and one last commit take well under a second."""

PART_KILL_GRACE_S: Final = 2.0
"""The supervisor waits this much longer before it kills, since a part ends itself when its own time is up."""

PART_OUTPUT_BYTES_MAX: Final = 1 << 20
"""What a part writes to standard output and error (crashes of the interpreter, mostly) is kept up to here over its restarts."""

REASON_CHARS_MAX: Final = 1_000
"""A part's one-sentence reason for not starting is cut here; it has to fit into one atomic write to a pipe (4,096 bytes)."""

RESTARTS_UNREADY_MAX: Final = 5
"""A part that dies this often in a row without having been ready will not get better: the supervisor gives up and says so."""

RESTARTS_MAX: Final = 200
"""A part may die this often within ``RESTARTS_WINDOW_S`` if it becomes ready in between (fault tests kill a part every other second)."""

RESTARTS_WINDOW_S: Final = 600.0
"""Deaths older than this are forgotten."""

RESTART_BACKOFF_S: Final = 0.1
"""The pause after a first death: long enough for its sockets to be gone, short beside what reconnecting clients wait."""

RESTART_BACKOFF_S_MAX: Final = 10.0
"""The longest pause: a part that needs longer is given up rather than waited for."""

RESTART_STABLE_S: Final = 10.0
"""A part that lived this long after it was ready starts again with the shortest pause."""

# machinery

MESSAGE_DEPTH_MAX: Final = 100
"""Messages may be nested so deep, as in protobuf's own libraries; only schemas of custom resources can nest without end."""

STRICT_ERRORS_MAX: Final = 100
"""Fixed by Kubernetes: so many unknown and doubled fields of one body are reported."""

RESOURCE_NAMES_REMEMBERED_MAX: Final = 1_024
"""Names of resources whose check is remembered: a cluster has a few dozen, and a flood of made-up ones must not cost memory."""

PROJECTIONS_REMEMBERED_MAX: Final = 1_024
"""Projected volumes that are known to be well-formed: pods of one cluster have a few different ones; some 0.5 MB."""

IMAGES_REMEMBERED_MAX: Final = 4_096
"""Images whose pull policy is remembered (some 150 bytes each): more than the workloads of a cluster name."""

LABEL_KEYS_REMEMBERED_MAX: Final = 4_096
"""Keys of labels in tolerations and affinities whose check is remembered: every pod brings the same few."""

PROJECTED_FILES_COMPARED_MAX: Final = 1_000
"""Files of a projected volume that are compared, each with each, to warn of those that cover others: half a second at most."""

UPDATE_MANAGERS_MAX: Final = 10
"""Fixed by Kubernetes: of more managers that update an object, the oldest become one."""

# network

NODE_SUBNET_BITS_MAX: Final = 16
"""A cluster CIDR has at most 2^16 node subnets (upstream's bound too): the map of taken ones is 64 KB, and no cluster has more nodes."""

POD_ADDRESSES_PER_CIDR_MAX: Final = 1 << 16
"""So many addresses of a podCIDR are used, more than any node has pods: an IPv6 subnet of 2^64 must not make bookkeeping without end."""

IPAM_RECORD_LINES_SPARE: Final = 1_024
"""An address record is rewritten when it has this many lines more than twice what is needed: some 60 KB, read in a few milliseconds."""

PLAN_PARSED_CIDRS_MAX: Final = 1 << 16
"""Texts of CIDRs whose parsed form a planner keeps (about 200 bytes each): two for each of 10,000 nodes fit, and a replan is quick."""

BRIDGE_MTU_BYTES: Final = 1_500
"""MTU of a node's bridge when nothing is known of its uplinks: what Ethernet carries."""

# scheduler

SCHEDULER_AMOUNT_MAX: Final = 1 << 50
"""A node's amount of a resource stops counting here (1 PiB, 10^12 cores): a hundred times it, and the sum of 8,191 pods, fit 64 bits."""

SCHEDULER_STORAGE_MAX: Final = 1 << 56
"""Bytes of a volume or claim stop counting here (64 PiB): a hundred times it fits 64 bits."""

SCHEDULER_VOLUME_RESULTS_MAX: Final = 256
"""Masks and verdicts on volumes that are kept: 1 to 17 bytes a node each, so 85 KB each, 22 MB in all on 5,000 nodes."""

SCHEDULER_DEVICE_RESULTS_MAX: Final = 16_384
"""Answers about devices that are remembered (100 to 500 bytes each): one for each different state of a node's devices and claim."""

SCHEDULER_DEVICE_VERDICTS_MAX: Final = 64
"""Different wishes for devices of which it is kept which nodes can satisfy them (9 bytes a node each)."""

SCHEDULER_CLAIMS_APART_MAX: Final = 64
"""A pod with more unbound claims of one class is decided anew whenever any volume of the class comes or goes."""

SCHEDULER_DEVICE_STEPS_MAX: Final = 20_000
"""Steps of one search for devices (5 us each): a search of more than 100 ms is given up, and the pod is tried again (upstream: 10 s)."""

SCHEDULER_DEVICES_READY_S_MAX: Final = 600.0
"""Devices that have not been prepared for so long are given back (upstream: bindingTimeout of DynamicResources)."""

SCHEDULER_RESOURCES_MAX: Final = 1024
"""Resources that have a row of amounts; a further name is taken as offered by no node, so a pod that asks for it waits."""

SCHEDULER_LABEL_COLUMNS_MAX: Final = 256
"""Labels that are held as codes (4 bytes a node each); the one unused for longest is dropped and made again when asked for."""

SCHEDULER_TOUCHED_MAX: Final = 1 << 16
"""Entries of the log of placements: kept results that are further behind than its older half are computed anew."""

SCHEDULER_TEMPLATES_MAX: Final = 4096
"""Templates whose meaning is remembered (1 to 2 KB each): more than a cluster's workloads have at a time; a pod beside it costs 50 us."""

SCHEDULER_TALLIES_MAX: Final = 1024
"""Sorts of pods that are counted per node (4 bytes a node), twice as many as kept results; the one asked for longest ago is dropped."""

SCHEDULER_KEPT_BYTES_MAX: Final = 64 << 20
"""Memory for results per ask: 270 templates on 5,000 nodes, 13 on 100,000."""

SCHEDULER_KEPT_MAX: Final = 512
"""Asks whose results are kept, however small the cluster."""

SCHEDULER_KEPT_MIN: Final = 4
"""Asks whose results are kept, however large the cluster."""

SCHEDULER_CLAIM_PRIORITIES_MAX: Final = 4
"""Priorities for which the claims of nominated pods are summed, 8 bytes for each node and resource: few preempt at a time."""

SCHEDULER_DRY_RUNS_KEPT_MAX: Final = 1 << 16
"""Dry runs of preemption that are kept (some 300 bytes each): eight templates on 5,000 nodes."""

SCHEDULER_GANG_CHECKS_MAX: Final = 20_000
"""How often a filter is asked whether a pod of a group still fits beside pods that it need not preempt: half a second's work."""

SCHEDULER_REASON_BITS_MAX: Final = 61
"""Different resources that one pod may ask for: each has a bit in a 64-bit reason, beside two others (upstream has no bound)."""

SCHEDULER_BACKOFF_S: Final = 1.0
"""Fixed by Kubernetes' default: the pause after a pod's first failed attempt; it doubles with each further one."""

SCHEDULER_BACKOFF_S_MAX: Final = 10.0
"""Fixed by Kubernetes' default: the longest pause between two attempts."""

SCHEDULER_UNSCHEDULABLE_S_MAX: Final = 300.0
"""Fixed by Kubernetes: a pod that no event woke for so long is tried again."""

SCHEDULER_FLUSH_INTERVAL_S: Final = 30.0
"""Fixed by Kubernetes: how often pods that waited too long are looked for."""

SIMULATED_PREEMPTIONS_MAX: Final = 10
"""A pod that was preempted more often in one simulation stays away: whatever made pods displace one another would go on forever."""

TRACE_PODS_MAX: Final = 1_000_000
"""Arrivals of one replay (0.5 KB each, 50 us to 2 ms to decide): a load that takes more is reached by letting arrivals come faster."""

TRACE_DEVICES_MAX: Final = 64
"""Devices of a node that are told apart in a replay, each a row of amounts; machines with shared devices have up to sixteen."""

TRACE_MIX_MAX: Final = 128
"""Kinds of pods by which a policy judges fragmentation, the most frequent ones: a decision costs some 10 us for each on 1,500 nodes."""

TRACE_SAMPLES_MAX: Final = 10_000
"""Moments of a replay at which the cluster is looked at: more than a picture has pixels."""

TRACE_PROCESSES_MAX: Final = 64
"""Replays at once, each a process of 60 MB and up."""

SCHEDULER_BATCH_MAX: Final = 1_000
"""Pods decided before bindings go out and events are let in: some 20 ms of deciding, and one bulk request of 100 KB."""

SCHEDULER_BATCH_S: Final = 0.1
"""Deciding ends after this time however few pods were decided: a Lease wants to be renewed, and victims are to be told to go."""

SCHEDULER_BINDINGS_IN_FLIGHT_MAX: Final = 8
"""Bulk bindings under way at once: deciding stops when the API is this far behind."""

SCHEDULER_VOLUMES_BOUND_S_MAX: Final = 600.0
"""Fixed by Kubernetes' default: a pod whose volumes are not bound after so long is decided about anew."""

SCHEDULER_STATUS_IN_FLIGHT_MAX: Final = 16
"""Status updates of unschedulable pods under way at once."""

# client

RESPONSE_BYTES_MAX: Final = 64 << 20
"""What a kcore client receives in one message: bulk answers with objects may be as large as the request that asked for them."""

CALL_TIMEOUT_S: Final = 60.0
"""A call without a deadline of its own is given up after this time, as kube-apiserver gives up requests (60 s)."""

CONNECT_TIMEOUT_S: Final = 10.0
"""A new client waits this long for its server: an API server opens in under a second."""

RECONNECT_BACKOFF_MS: Final = 100
"""gRPC tries a lost server again after this time (its own default, 1 s, is longer than a restart of the API server takes)."""

RECONNECT_BACKOFF_MS_MAX: Final = 5_000
"""The longest pause between two such tries (default 120 s)."""

KEEPALIVE_MS: Final = 60_000
"""Another machine that is silent for so long is pinged, since nothing else tells that it went away; on loopback the kernel tells."""

KEEPALIVE_TIMEOUT_MS: Final = 10_000
"""A ping is answered within this time, or the connection counts as lost."""

CALL_ATTEMPTS_MAX: Final = 10
"""A call that failed is tried so often in all where trying again is safe; client-go's bound for answers that say Retry-After."""

CALL_BACKOFF_S: Final = 0.05
"""The pause before the second attempt; doubled from one to the next."""

CALL_BACKOFF_S_MAX: Final = 5.0
"""The longest pause: ten attempts then span half a minute, which covers any restart of the API server."""

CONFLICT_ATTEMPTS_MAX: Final = 5
"""A read-modify-write that met another writer is tried so often; client-go's `retry.DefaultRetry` has the same bound."""

CONFLICT_BACKOFF_S: Final = 0.01
"""The pause before such a write is tried again; the reason is gone at once."""

LIST_RESTARTS_MAX: Final = 3
"""A list of many pages starts anew so often when its revision was compacted under it."""

LIST_PAGES_MAX: Final = 100_000
"""No list has more pages: 4 MB each, that is 400 GB. It stops a server whose continue token goes in a circle."""

REST_LIST_PAGE_OBJECTS: Final = 500
"""Objects of a page when a cluster is listed over HTTP, as kubectl and client-go's pager ask: a few MB of pods."""

BULK_ITEMS_MAX: Final = 2_000
"""A bulk write is cut into requests of at most so many items: some 20 ms of the API server's loop, so that others get their turn."""

BULK_REQUEST_BYTES_MAX: Final = 3 << 20
"""... and of so many bytes, below the 4 MB that a gRPC server receives by default. A single larger object still goes alone."""

BULK_REQUESTS_MAX: Final = 8
"""Bulk requests under way per client: enough that the server never waits for the client, few enough that overload shows as waiting."""

BULK_FEW_ITEMS_MAX: Final = 32
"""A list of no more items travels with others: a message costs what ten items cost."""

BULK_PENDING_ITEMS_MAX: Final = 50_000
"""Items handed to `submit` and not answered yet; more are refused with TooManyRequests. Ten seconds at 5,000 a second."""

WATCH_BACKOFF_S: Final = 0.1
"""A reflector that lost its stream tries again after this time; doubled while it fails."""

WATCH_BACKOFF_S_MAX: Final = 10.0
"""The longest pause of a reflector, which tries for ever (client-go: 30 s); its process is told by the supervisor when to end."""

WATCH_STABLE_S: Final = 5.0
"""A watch that lived this long counts as well: the next loss starts with the shortest pause."""

WORKQUEUE_BACKOFF_S: Final = 0.005
"""client-go's default: the first retry of an item comes after 5 ms, doubled with each failure."""

WORKQUEUE_BACKOFF_S_MAX: Final = 1_000.0
"""client-go's default: the longest pause of an item that keeps failing."""

WORKQUEUE_RETRIES_PER_S: Final = 10.0
"""client-go's default: all retries of a queue together; first attempts are not slowed."""

WORKQUEUE_RETRIES_BURST: Final = 100
"""client-go's default: so many retries may come at once."""

WORKQUEUE_ITEMS_MAX: Final = 2_000_000
"""A queue holds each key once, so this is more objects of a kind than a cluster has; beyond it something adds keys that do not exist."""

WORKER_KEYS_PER_TURN: Final = 16
"""A worker whose keys need no waiting lets the loop's other work in after so many."""

LEASE_DURATION_S: Final = 15.0
"""client-go's default: others may take the Lease when its holder has not renewed it for this time."""

LEASE_RENEW_DEADLINE_S: Final = 10.0
"""client-go's default: a leader that could not renew for this time stops, before others start."""

LEASE_RETRY_PERIOD_S: Final = 2.0
"""client-go's default: the pause between two attempts to take or renew."""

LEASE_JITTER: Final = 1.2
"""client-go's default: who waits for the Lease waits up to this factor longer, so that candidates do not meet."""

EVENTS_PENDING_MAX: Final = 20_000
"""Events that wait to be sent; more are dropped and counted. Four seconds of 5,000 pods, each with its Scheduled."""

EVENTS_PER_REQUEST_MAX: Final = 500
"""Events sent in one bulk request: some 5 ms of the API server, so that what matters more does not wait long behind them."""

EVENTS_INTERVAL_S: Final = 0.05
"""The pause between two such requests, in which equal ones merge: at most 10,000 a second leave a recorder."""

EVENTS_ATTEMPTS_MAX: Final = 12
"""client-go's default: an Event that cannot be sent so often is dropped."""

EVENTS_CACHE_MAX: Final = 4_096
"""client-go's default: series, sources and groups that a recorder remembers; the least recently used is forgotten."""

EVENTS_SIMILAR_MAX: Final = 10
"""client-go's default: more different messages of one group within the window are combined into one Event."""

EVENTS_SIMILAR_WINDOW_S: Final = 600.0
"""client-go's default: how long a group is remembered after its last Event."""

EVENTS_BURST: Final = 25
"""client-go's default: so many Events about one object may come at once."""

EVENTS_PER_S: Final = 1.0 / 300.0
"""client-go's default: after that, one in five minutes."""

EVENT_NAME_PREFIX_CHARS_MAX: Final = 235
"""What an Event's name takes of its object's: a dot and 16 hexadecimal digits follow, and Kubernetes fixes names at 253."""

EVENT_MESSAGE_CHARS_MAX: Final = 1_024
"""Fixed by Kubernetes: a longer message makes an Event invalid, so it is cut."""

# store

STORE_QUOTA_BYTES: Final = 8 << 30
"""etcd's recommended upper bound for a database; LMDB reserves address space, not disk."""

STORE_READERS_MAX: Final = 16
"""Read transactions at once: one of the event loop, and those of copies and tools."""

STORE_MAP_MARGIN_BYTES: Final = 64 << 20
"""Address space above the quota (with a quarter of it): a full store must still be able to write what makes it smaller."""

STORE_CHUNK_BYTES: Final = 256 << 10
"""A chunk of the log ends here: a commit of 500 objects is two to four writes, after each of which a busy event loop may keep the writer
waiting for 5 ms; and rewriting a chunk stays cheap."""

STORE_PENDING_BYTES_MAX: Final = 256 << 20
"""Writes that wait for the disk: a disk that is this far behind (a second or more) is not caught up with by accepting more."""

STORE_PROBE_BYTES: Final = 1 << 20
"""After a failed commit so much is written on trial, to tell a full disk from a broken one: more than most commits."""

RESTORE_CHUNKS_MAX: Final = 64
"""Chunks of the log that restoring a snapshot writes with one commit: 16 MiB, so that LMDB need not keep more in memory."""

COMPACTION_KEYS_MAX: Final = 20_000
"""Keys that a step of compaction looks at: two milliseconds of the event loop at most."""

COMPACTION_BYTES_MAX: Final = 1 << 20
"""Bytes of the log that compaction rewrites with one commit: it makes that commit a few milliseconds longer."""

COMPACTION_CHUNKS_MAX: Final = 1_024
"""Chunks of the log that compaction removes with one commit, for the same reason."""

KEY_LEASE_RETRY_S: Final = 1.0
"""A lease that ended while nothing could be written is tried again after this."""

# watch

WATCHER_QUEUE_EVENTS_MAX: Final = 65_536
"""Events that wait for one watcher: ten seconds at full speed; a watcher that is further behind lists faster than it catches up."""

WATCHER_QUEUE_BYTES_MAX: Final = 256 << 20
"""The same in bytes, for large objects."""

WATCH_MESSAGE_BYTES: Final = 1 << 20
"""A watch message ends at this size (fixed by the protocol's promise to clients: below the 4 MB that a gRPC client receives by default)."""

WATCH_HISTORY_EVENTS_MAX: Final = 16_384
"""Changes of a resource that are kept in memory for watchers that come back; older ones are read from the store."""

WATCH_HISTORY_BYTES_MAX: Final = 64 << 20
"""The same in bytes."""

HUB_FOLDERS_MAX: Final = 100_000
"""Namespaces of resources whose resource is remembered rather than looked for: 10 MB at most."""

BOOKMARK_PERIOD_S: Final = 60.0
"""Fixed by Kubernetes' habit: about a minute between bookmarks."""

HISTORY_READ_OBJECTS: Final = 500
"""Objects of an old revision that are read from disk at a time: some 2 ms of the event loop."""

WATCHERS_PER_RESOURCE_MAX: Final = 20_000
"""Watches of one resource at once: two for each of 10,000 nodes."""

# apiserver

DOCUMENTS_KEPT_MAX: Final = 256
"""Documents of discovery and OpenAPI that are kept as bytes: all of them in the forms that clients ask for, 20 MB at most."""

OPENAPI_EXPIRES_S: Final = 365 * 24 * 3600
"""Fixed by Kubernetes: an OpenAPI document that was asked for by its hash may be kept for a year."""

DOCUMENT_GZIP_LEVEL: Final = 5
"""Halves what level 1 leaves of an OpenAPI document; it is compressed once, and kept."""

REQUEST_BODY_BYTES_MAX: Final = 3 << 20
"""Fixed by Kubernetes: MaxRequestBodyBytes."""

ACCEPT_HEADER_CHARS_MAX: Final = 2_000
"""An Accept header is read this far; kubectl's longest has 300 characters."""

ACCEPT_HEADERS_KEPT: Final = 256
"""Accept headers of which it is remembered what they ask for: each client library has a handful."""

TIMES_KEPT: Final = 4_096
"""Texts of times of which it is remembered when that was: objects of one page, or of one rollout, share them; some 0.5 MB."""

GZIP_BODY_BYTES: Final = 128 << 10
"""Fixed by Kubernetes: shorter answers are not worth compressing."""

GZIP_LEVEL: Final = 1
"""Fixed by Kubernetes: the cheapest; a list shrinks to a tenth all the same."""

HTTP_BODY_WAIT_S: Final = 60.0
"""The time in which a request's body has to arrive: 3 MiB at 50 KB a second."""

HTTP_HEAD_WAIT_S: Final = 32.0
"""Fixed by Kubernetes (ReadHeaderTimeout): in which time a head has to arrive once it has begun, and the first one of a new connection."""

OBJECT_BYTES_MAX: Final = 3 << 19
"""Fixed by etcd: one and a half megabytes in a request, and so in an object as it is stored."""

LARGE_WRITE_BYTES: Final = 64 << 10
"""A longer body, or object that is patched, is decided beside the loop: reading and judging 64 KiB takes 30 ms where all is small parts."""

LARGE_WRITE_TRIES: Final = 3
"""So often somebody else may be faster than a large write; then it is decided in one go, and the loop waits."""

ERRORS_SHOWN_MAX: Final = 10_000
"""Errors in one refusal, a megabyte or more of text: who made so many knows enough, and the next try shows the others."""

HTTP_HEAD_BYTES_MAX: Final = 512 << 10
"""A head of a request, and as much of its body as comes with it: what the loop reads at once is half as long. Kubernetes has a megabyte."""

HTTP_URL_BYTES_MAX: Final = 65_535
"""A path with its query: what the parser takes (measured)."""

HTTP_HEADERS_MAX: Final = 200
"""Headers of one request: clients send some ten, proxies a few more, and one for each group that is impersonated."""

HTTP_TLS_WAIT_S: Final = 32.0
"""The time in which a client has to be through with the TLS handshake, the same."""

HTTP_SEND_WAIT_S: Final = 60.0
"""A client that takes nothing of an answer for so long has gone."""

MAPPED_BLOCK_BYTES: Final = 128 << 10
"""Blocks of memory from this size on are mapped by themselves: what the C library begins with, and else raises as it sees larger ones."""

HTTP_PIECE_BYTES: Final = 512 << 10
"""So much of a long answer is handed to the connection at a time, which holds as much again that its client has not read."""

HTTP_KEEP_ALIVE_S: Final = 120
"""An idle connection is closed after this time; client libraries keep theirs for 90 s."""

HTTP_STOP_GRACE_S: Final = 5
"""Requests that are under way have so long to end when the server stops."""

HTTP_BACKLOG: Final = 2_048
"""Connections that wait to be accepted: a thousand watchers that come back at once."""

WATCH_SECONDS_MIN: Final = 1_800
"""Fixed by Kubernetes: a watch that says no time ends after this, up to twice as long, so that not all come back at once."""
JSON_PATCH_OPERATIONS_MAX: Final = 10_000
"""Fixed by Kubernetes: maxJSONPatchOperations."""

JSON_PATCH_COPIED_BYTES_MAX: Final = 3 << 20
"""What all `copy` operations of a JSON patch may add together, as Kubernetes has it: a short body could double an object forever."""

YAML_NODES_MAX: Final = 100_000
"""Values and keys in a YAML body, some 8 us each to read: a second at most. The largest manifests in use have half as many."""

SELECTOR_CHARS_MAX: Final = 64 << 10
"""A selector that is longer is not read: one costs some 10 us for each requirement, and over HTTP it has no room in a URL."""

YAML_NODE_BYTES: Final = 8
"""What a node of a YAML body counts besides its text when aliases are written out: 390,000 fit, go-yaml has 400,000."""

GENERATED_NAME_TRIES: Final = 8
"""Fixed by Kubernetes: a generated name that is taken is drawn again so often."""

GENERATED_NAME_BASE_MAX: Final = 58
"""Fixed by Kubernetes: the prefix of a generated name is cut so that the name stays a DNS label."""

ADMISSION_DECODED_OBJECTS_MAX: Final = 4_096
"""Decoded namespaces, service accounts, nodes and the like that admission remembers, some 2 KB each."""

POD_SECURITY_PODS_MAX: Final = 3_000
"""Pods of a namespace that are looked at when its security level gets stricter, 20 us each: less than a tenth of a second. As upstream."""

NAMES_REMEMBERED_MAX: Final = 4_096
"""Keys and values of labels of which it is remembered whether they are well-formed, some 200 bytes each: far more than are in use."""

EXPRESSIONS_REMEMBERED_MAX: Final = 1_024
"""Expressions of which it is remembered what the compiler said: more than the policies, webhooks and device classes of a cluster hold."""

EXPRESSION_REMEMBERED_BYTES_MAX: Final = 4_096
"""Longer expressions are compiled each time, so that remembering costs some 4 MB at most."""

EXPRESSION_SCOPES_REMEMBERED_MAX: Final = 64
"""Environments of expressions that are kept, some 100 KB each: one for each set of names that policies declare, few at a time."""

INFORMER_CHANGES_MAX: Final = 256
"""Sets of fields that change together of which an informer remembers who looks at them: a handful in practice."""

GC_NEW_OBJECTS_MAX: Final = 50_000
"""Objects that are made before a part looks for circles among them: with 700, Python's own number, that is a twentieth of its time."""

GC_GENERATIONS: Final = (20, 100)
"""Looks at new objects for one at older ones, and those for one at all."""

DIAGNOSTICS_IMPORT_AFTER_S: Final = 2.0
"""When a part imports what writes its metrics: when it is up, and before the first scrape would wait for it."""

SCHEDULER_LOOKS_AT_ONCE: Final = 32
"""Pods asked for at once of which it is not known whether they were bound."""

AUTHORIZATION_DECISIONS_MAX: Final = 16_384
"""Permissions that are remembered, 0.2 KB each: users times verbs, resources and namespaces that are in use at a time."""

CERTIFICATES_KNOWN_MAX: Final = 4_096
"""Client certificates whose users are remembered, 2 KB each: one a client."""

ACCOUNT_TOKENS_KNOWN_MAX: Final = 16_384
"""Tokens of service accounts whose signatures are remembered as good, 1 KB each: one a pod that calls."""

TOKEN_BYTES_MAX: Final = 32_768
"""A bearer token that is longer is none: what a service account's token holds takes 2 KB."""

LIKENESSES_MAX: Final = 256
"""Objects that later ones with the same body are made from, some 3 KB each: templates that are in use at a time."""

ALONE_PATCHES_MAX: Final = 1_024
"""Patches of a status that are remembered with what they made: the states of conditions that meet the same patch at a time."""

ALONE_PATCH_BYTES_MAX: Final = 4_000
"""A longer patch of a status is decided anew: what is the same for many objects is short."""

SERVICE_ADDRESSES_MAX: Final = 1 << 20
"""Addresses of a service range that are used: enough for every Service, and a bound for IPv6 ranges."""

RPC_STATUS_BYTES_MAX: Final = 6_000
"""A Status in the trailers: gRPC loses trailers above 8 KB (measured), and this one is not alone in them."""

RPC_MESSAGE_CHARS_MAX: Final = 1_000
"""The grpc-message beside it."""

RPC_IN_FLIGHT_MAX: Final = 6_000
"""Requests of exempt flows at once, each counted for all, its user and its connection: 2,000 for one connection, if it is alone."""

FLOW_SEATS: Final = 600
"""Fixed by Kubernetes' defaults (400 reading, 200 writing): the seats that priority levels share."""

FLOW_UPKEEP_PERIOD_S: Final = 60.0
"""Fixed by Kubernetes: how often the flow schemas and priority levels that every cluster has are put right."""

FLOW_OBJECTS_PER_SEAT: Final = 100
"""Fixed by Kubernetes: a list takes one more seat for each so many objects that it may have to look at."""

FLOW_WIDTH_MAX: Final = 10
"""Fixed by Kubernetes: no request takes more seats."""

FLOW_WAIT_S_MAX: Final = 15.0
"""Fixed by Kubernetes (a quarter of a request's minute): who waited longer for his turn is refused."""

FLOW_RETRY_AFTER_S: Final = 1
"""Fixed by Kubernetes: when who is refused may come back; lines are shorter than a second's work."""

FLOW_REFUSALS_PER_S: Final = 500
"""So many are told in a second that there is no place, some 200 us each: a tenth of the loop, however many come back at once."""

FLOW_REFUSAL_WAIT_S_MAX: Final = 10.0
"""... and nobody is told later than after this time."""

FLOWS_REMEMBERED_MAX: Final = 16_384
"""Flows that are remembered by who asks for what, 0.3 KB each, as many as permissions."""

GATE_TURN_WIDTH: Final = 8
"""Requests that are let in in one turn of the event loop during a rush: two milliseconds, which is what a quiet client may wait."""

RPC_PAGE_BYTES: Final = 3_500_000
"""A page of a list, below the 4 MiB that a gRPC client receives by default, with room for the last object and the frame."""

RPC_RECEIVE_BYTES_MAX: Final = 16 << 20
"""A message from a client: a bulk write of 5,000 pods of 3 KB."""

RPC_STREAMS_PER_CONNECTION_MAX: Final = 10_000
"""Calls at once on one connection: one watch for each hollow node."""

RPC_LISTENERS: Final = 64
"""Listeners on the gRPC port, among which the kernel deals connections (6 ms, 0.4 MB in all). The library reads the calls of each in the
order in which they came, one in a turn of the loop: a quiet client waits behind a flood only if both have the same one."""

RPC_UNREAD_CALLS_MAX: Final = 10_000
"""Calls that one listener has not read: from 1,000 on the library would end some by chance, a quiet client's like any other."""

SNAPSHOT_PIECE_BYTES: Final = 256 << 10
"""A message of a snapshot's stream ends here: a millisecond of the event loop, and far below what any client takes."""

SNAPSHOT_RECORD_BYTES_MAX: Final = 16 << 20
"""A larger record in a snapshot's file is damage: no request, and so no object, is larger."""

RPC_BULK_ITEMS_MAX: Final = 10_000
"""Items of one bulk write: a second's worth; of an atomic one, one commit."""

BULK_TURN_ITEMS_MAX: Final = 50
"""Items that are decided before other calls have their turn: a few milliseconds."""

BULK_TURN_BYTES_MAX: Final = 256 << 10
"""... and bytes of them: fifty items of five kilobytes, as pods with much in them are."""

BULK_REQUESTS_UNDER_WAY_MAX: Final = 2
"""Requests of a bulk stream that are decided but not durable: one with the disk, one behind it."""

STORE_FULL_RETRY_AFTER_S: Final = 10
"""When a client may try again after the store was full: compaction frees space every few minutes."""

HOLLOW_NODES_MAX: Final = 10_000
"""Hollow nodes of one process: measured up to there."""

TOO_LARGE_REVISION_WAIT_S: Final = 3.0
"""Fixed by Kubernetes: how long a read waits for a revision that is not there yet."""

COMPACTION_PERIOD_S: Final = 300.0
"""Fixed by Kubernetes: what is older than this can no longer be read."""

MAINTENANCE_PERIOD_S: Final = 1.0
"""How often the API server looks for bookmarks and leases that are due."""

RPC_STOP_GRACE_S: Final = 1.0
"""How long a stopping server lets calls finish; watches end at once."""

# agent

POD_PROFILES_MAX: Final = 4_096
"""So many different kinds of pods share their profile; the memory (a few MB) is started afresh when pods are all different."""

POD_CONDITIONS_CACHED_MAX: Final = 64
"""Conditions of pods that came up well, one set a second and generation: what a batch shares."""

IMAGE_IDS_CACHED_MAX: Final = 4_096
"""Made-up digests of images, one for each image in use."""

HOLLOW_STEPS_MAX: Final = 8
"""A container changes its stage this often at one moment at most: failed pulls and crashes that take no time still end in a pause."""

HOLLOW_EXIT_AFTER_S_MAX: Final = 1e9
"""Annotations may let a container run this long (30 years); what is longer or no number counts as 0."""

HOLLOW_SCRIPT_CHARS_MAX: Final = 4_096
"""A longer script of a container says nothing plainly; a node does not read on."""

CRASH_BACKOFF_S: Final = 10.0
"""Fixed by Kubernetes: the pause before the second restart of a container, and before the second attempt to pull an image."""

CRASH_BACKOFF_S_MAX: Final = 300.0
"""Fixed by Kubernetes: the longest of these pauses; each is twice the one before."""

CRASH_BACKOFF_RESET_S: Final = 600.0
"""Fixed by Kubernetes: a container that ran this long starts with the shortest pause again."""

PULL_FAILURE_SHOWN_S: Final = 1.0
"""A pod says ErrImagePull for so long before it says ImagePullBackOff, so that watchers see both."""

NODE_LEASE_DURATION_S: Final = 40
"""Fixed by Kubernetes: a node's heartbeat Lease is good for so long; the node lifecycle controller waits about as long again."""

NODE_HEARTBEAT_S: Final = 10.0
"""Fixed by Kubernetes: a node renews its Lease in this period, four times within its duration."""

NODE_REPORT_S: Final = 300.0
"""Fixed by Kubernetes: a node whose status does not change writes it in this period all the same."""

HEARTBEATS_PER_TICK: Final = 100
"""Renewals wait for each other until they are so many (up to HEARTBEAT_TICK_S_MAX), since one write of many costs little more than one."""

HEARTBEAT_TICK_S_MIN: Final = 1.0
"""Renewals of all hollow nodes go out at most this often: 1,000 at once for 10,000 nodes."""

HEARTBEAT_TICK_S_MAX: Final = 5.0
"""Renewals go out at least this often; a Lease that is renewed 5 s late is still good for 25 s."""

ADDRESS_RETRY_S: Final = 10.0
"""A pod for which no address was free asks again after this time (at once, when one is released); each time is an Event."""

HOLLOW_EVENTS_MAX: Final = 1_000
"""Events that hollow nodes have to tell and that wait for the recorder; more than that at one moment tell nobody anything new."""

HOLLOW_RETRY_S: Final = 0.5
"""The first pause after a write that the server did not carry out; the stream needs about as long to be opened again."""

HOLLOW_RETRY_S_MAX: Final = 10.0
"""The longest pause of that kind: hollow nodes must be back soon after their API server is."""

HOLLOW_WRITES_PER_REQUEST_MAX: Final = 500
"""Status writes in one request: large enough that the fixed costs vanish, small enough that the next batch is prepared meanwhile."""

HOLLOW_REQUESTS_MAX: Final = 4
"""Requests under way at once: one is carried out, one waits for its fsync, one is on its way, one is prepared."""

HOLLOW_IDLE_S: Final = 3_600.0
"""The longest wait for the next timer of a hollow pod; what is set meanwhile ends the wait anyway."""

# controllers

CONTROLLER_WORKERS: Final = 16
"""Keys of one controller that are reconciled at the same time: each mostly waits for the API server (kube-controller-manager: 5 to 20)."""

NODE_WORKERS: Final = 256
"""The same for what looks at single nodes: their small writes travel together, and thousands of nodes may register at once."""

VOLUME_WORKERS: Final = 256
"""The same for the binder of volumes: a claim takes three rounds of small writes, and claims come by the thousand."""

EXPECTATIONS_TIMEOUT_S: Final = 300.0
"""Fixed by Kubernetes' habit: what a controller expects and does not see for five minutes will not come."""

SELECTORS_CACHED_MAX: Final = 4_096
"""Parsed label selectors that are remembered; at 300 bytes each that is a megabyte."""

LOOK_PAUSE_PER_POD_S: Final = 30e-6
"""A set is counted again so much later for each of its pods: counting takes a tenth of that, and a thousand pods wait 30 ms."""

STALE_VIEW_PAUSE_S: Final = 0.05
"""A look that met something the listers do not show yet is repeated after this time, when the watch has surely delivered it."""

LOST_ANSWER_PAUSE_S: Final = 1.0
"""Writes whose answers were lost arrive within this time, or not at all: a request that is under way so long was under way in vain."""

REPLICAS_BURST_MAX: Final = 500
"""kube-controller-manager's bound: pods that one reconciliation of a ReplicaSet creates or deletes."""

ORDINAL_MAX: Final = 2**31 - 1
"""Fixed by Kubernetes: ordinals of StatefulSets are int32; a larger number in a pod's name is none."""

JOB_BACKOFF_S: Final = 10.0
"""Fixed by Kubernetes: how long after a failure a Job waits with its next pod; twice as long after each further one."""

JOB_BACKOFF_S_MAX: Final = 600.0
"""Fixed by Kubernetes: the longest such wait."""

JOB_GATHER_S: Final = 1.0
"""kube-controller-manager's pause: a change of a pod is looked at so much later, together with those of pods that start or end with it."""

JOB_UNCOUNTED_MAX: Final = 500
"""kube-controller-manager's bound: finished pods that one status write of a Job takes note of; their uids are under 20 KB."""

DAEMON_BACKOFF_S: Final = 1.0
"""Fixed by Kubernetes: how long a failed pod of a DaemonSet stays before the next is made on its node; twice as long each time."""

DAEMON_BACKOFF_S_MAX: Final = 900.0
"""Fixed by Kubernetes: the longest such wait; after twice as long without a failure it starts anew."""

TEMPLATES_CACHED_MAX: Final = 1_024
"""Decoded pod templates that are remembered while Deployments compare theirs with those of their sets; some 3 KB each."""

REVISION_HISTORY_CHARS_MAX: Final = 2_000
"""kube-controller-manager's bound: the annotation that lists a ReplicaSet's former revisions; the oldest are dropped."""

NAMESPACE_CALLS_MAX: Final = 8
"""Resources of one namespace that are listed or emptied at the same time."""

NAMESPACE_FINALIZERS_ESTIMATE_S: Final = 15
"""kube-controller-manager's guess how long finalizers of other parties take; a namespace is looked at again after half of that."""

GARBAGE_COLLECTOR_WORKERS: Final = 64
"""Objects that the garbage collector looks at at the same time: their deletions travel together, this many in a request."""

UNSEEN_OWNER_PAUSE_S: Final = 1.0
"""An owner that exists and was not seen yet is looked for again after this time; the watch normally shows it long before."""

ABSENT_OWNERS_CACHED_MAX: Final = 500
"""kube-controller-manager's bound: owners known to be absent, so that their dependents do not each ask again."""

# serve

DIRECT_MESSAGES_WAITING_MAX: Final = 16
"""Requests, and answers, of a stream within one process that wait for the other side; HTTP/2's window holds about as many."""

DIAGNOSTICS_REQUEST_BYTES_MAX: Final = 8_192
"""The head of a request to a health and metrics port."""

DIAGNOSTICS_TIMEOUT_S: Final = 5.0
"""How long such a port waits for a request."""

# load

LOAD_ITEMS_PER_REQUEST: Final = 500
"""Pods in one bulk write of a load: some 40 ms of the API server, a commit of 300 KB."""

LOAD_REQUESTS_IN_FLIGHT: Final = 4
"""Bulk writes of a load that are sent and not answered: the server always has a next one."""

LOAD_SEND_TICK_S: Final = 0.01
"""A load that waits for the next create waits at least so long: what is due by then goes in one request, and nobody sees the difference."""

LOAD_BURST_S: Final = 1.0
"""From one burst of a load to the next: what its rate is counted in, and long enough that the server is at rest in between."""

CREDENTIAL_TIMEOUT_S: Final = 60.0
"""How long a plugin that a kubeconfig names may take to issue a credential: some ask a server elsewhere, and none can ask the user."""

LOAD_TICK_S: Final = 0.2
"""How often a load shows its progress."""

LOAD_SETTLED_S: Final = 2.0
"""A load whose last pods were all found unschedulable ends after this time without a change: long enough for a node's retry of a status."""

LOAD_STILL_S: Final = 30.0
"""A load ends when nothing has moved for so long: what is pending then does not fit."""

DELETES_AT_ONCE: Final = 32
"""Deletions that `kcore delete` has under way: enough to share commits, few enough to be told in order as they come."""

BENCH_WATCH_TIMEOUT_S: Final = 60.0
"""An event that has not reached every watch of a bench by then never will: two thousand have it in a second on a busy machine."""

BENCH_COMMAND_TIMEOUT_S: Final = 300.0
"""A command of a bench that takes longer than a part may take to start has failed."""

BENCH_CASE_STILL_S: Final = 60.0
"""A case of the scheduler's benchmark ends when no pod was scheduled for so long: six of the longest pauses after a failed attempt."""

# cli

DEMO_TIMEOUT_S: Final = 120.0
"""A demo that does not run by then has failed: it takes about a second."""

DEMO_POLL_S: Final = 0.02
"""How often the demo looks whether its deployments are available."""

# controllers: nodes and their pods

TERMINATED_PODS_MAX: Final = 12_500
"""kube-controller-manager's default: finished pods that may stay."""

CLAIM_LOOK_INTERVAL_S: Final = 15.0
"""Fixed by Kubernetes: how often a claim that found no volume is looked at again."""

SERVICE_CIDR_GRACE_S: Final = 10.0
"""Fixed by Kubernetes: so long a range of Services that is deleted stays, since other API servers may be giving an address of it out."""

QUOTA_RESYNC_PERIOD_S: Final = 300.0
"""kube-controller-manager's rhythm in which quotas are counted again whatever changed."""

QUOTA_GATHER_S: Final = 0.2
"""How long a quota waits for more deletions before it is counted: a count reads all that it bounds, and deletions come by the hundred."""

DISRUPTION_TIMEOUT_S: Final = 120.0
"""Fixed by Kubernetes: so long a pod that the eviction API let go counts as gone although it is there."""

POD_GC_PERIOD_S: Final = 20.0
"""kube-controller-manager's rhythm of the pod garbage collector."""

POD_GC_QUARANTINE_S: Final = 40.0
"""kube-controller-manager's: how long a node must be missing before its pods go."""

NODE_MONITOR_PERIOD_S: Final = 5.0
"""kube-controller-manager's default: how often nodes are looked at."""

NODE_GRACE_PERIOD_S: Final = 50.0
"""kube-controller-manager's default: a node that is not heard of for so long is Unknown."""

NODE_STARTUP_GRACE_PERIOD_S: Final = 60.0
"""kube-controller-manager's default: a node that never said how it is has so long, from its creation."""

SLICE_UNSEEN_S: Final = 10.0
"""An EndpointSlice that was created and is not seen for so long is asked for: it may be gone before anybody saw it."""

EVICTION_RATE_PER_S: Final = 0.1
"""kube-controller-manager's default: nodes a second whose pods are evicted, in a zone."""

SECONDARY_EVICTION_RATE_PER_S: Final = 0.01
"""kube-controller-manager's default in a zone of which a large part is down."""

UNHEALTHY_ZONE_SHARE: Final = 0.55
"""kube-controller-manager's default: from this share on a zone counts as partly down."""

LARGE_CLUSTER_NODES: Final = 50
"""kube-controller-manager's default: in smaller zones that are partly down nothing is evicted."""

# what machinery remembers of amounts

QUANTITY_MEMO_COUNT: Final = 8_192
"""Amounts of resources that are remembered in parsed and in canonical form; a cluster's manifests use far fewer different ones."""

# testing

TESTING_CALLS_KEPT_MAX: Final = 100_000
"""Calls that a transport with faults remembers: more than a test looks at, and some 20 MB; a day of virtual time makes many more."""

TESTING_WAIT_S: Final = 30.0
"""How long a test waits for what it does not give a time for: a hundred times what a healthy cluster takes, also on a busy machine."""

TESTING_LOOK_PAUSE_S: Final = 0.005
"""The first pause between two looks at what a test waits for; it doubles, and a change in the cluster ends it."""

TESTING_LOOK_PAUSE_S_MAX: Final = 0.1
"""The longest such pause: what changes outside the cluster, such as a test's own list, is noticed no later."""

TESTING_LOOKS_MIN: Final = 1_000
"""At least so many looks in a long wait: on virtual time a day must not take as many as there are tenths of a second in it."""

TESTING_RESET_ROUNDS_MAX: Final = 10
"""How often a reset undoes what parts still wrote from what they knew before: each takes one or two turns."""

TESTING_QUIET_TURNS_MAX: Final = 200
"""Turns of the loop in which parts take in what a reset changed; a part that is held up or cut off is not waited for longer."""

TESTING_CALM_TURNS: Final = 5
"""Turns in a row in which no part has anything to read or to send: what was read last has been handed on by then."""

TESTING_GHOSTS_MAX: Final = 200_000
"""Objects of earlier tests that are remembered by uid: what parts still write about one comes within seconds of its reset; some 20 MB."""

TESTING_CLUSTERS_KEPT_MAX: Final = 4
"""Clusters of different settings that a pytest session keeps running: some 20 MB each, and a few tasks that look every second."""
