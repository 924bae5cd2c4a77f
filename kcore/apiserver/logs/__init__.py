"""The log of a hollow pod, and what else connects to containers.

Guarantees
- What a container printed is a function of the pod as it is stored: whoever asks twice reads the same lines, no node is asked, and nothing
  is kept.
- `Follower` is a value with a position; it waits for nothing. It says when a line comes next, and whether none will.

To serve a log: `pod, log = pipeline.open_log(request)`, then `log.feed(pod, now)`. With `log.follows`, feed it every later state of the pod
(None once it is gone), and the last one again at `wake_s`, until `is_over`.
Source: kubelet `validateContainerLogStatus`, `pkg/kubelet/kuberuntime/logs`; apiserver `pkg/registry/core/pod/strategy.go` (LogLocation).
"""
