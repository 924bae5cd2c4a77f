"""KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): the file by which kube-scheduler is configured, read as profiles.

    fields      one object of the file, field by field; what is wrong with it is collected
    points      which plugins a profile has at which extension point, and with which weight
    arguments   the arguments of each plugin -> the plugin
    reading     the file -> `Configuration`

Everything that is wrong is told at once, each with its field and the rule. Fields that concern what kcore does in a way of its own
(clients, leader election, parallelism, profiling) have no effect. Differs from upstream: percentageOfNodesToScore 0, or none, means all
nodes, since scoring all of them is what costs least here; extenders are refused.

Source: kube-scheduler 1.37, apis/config and framework/runtime.
"""
