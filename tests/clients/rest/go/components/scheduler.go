package main

import (
	"encoding/json"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/reference"
)

// world is what there is for components to act upon.
type world struct {
	node *corev1.Node
	pods map[string]*corev1.Pod
}

// groups are those that a user of a component is in.
func groups(user string) []string {
	found := []string{"system:authenticated"}
	if strings.HasPrefix(user, "system:serviceaccount:") {
		found = append(found, "system:serviceaccounts", "system:serviceaccounts:kube-system")
	}
	return found
}

// prepare makes a namespace with two pods that nobody has placed, and a node.
func prepare(admin component) world {
	core := admin.client.CoreV1()
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }
	must(core.Namespaces().Create(admin.ctx, &corev1.Namespace{ObjectMeta: named(namespace)}, metav1.CreateOptions{}))
	must(core.ServiceAccounts(namespace).Create(admin.ctx, &corev1.ServiceAccount{ObjectMeta: named("default")}, metav1.CreateOptions{}))
	made := world{pods: map[string]*corev1.Pod{}}
	made.node = must(core.Nodes().Create(admin.ctx, &corev1.Node{ObjectMeta: named("place")}, metav1.CreateOptions{}))
	hard := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("9")}
	quota := &corev1.ResourceQuota{ObjectMeta: named("bounds"), Spec: corev1.ResourceQuotaSpec{Hard: hard}}
	must(core.ResourceQuotas(namespace).Create(admin.ctx, quota, metav1.CreateOptions{}))
	for _, name := range []string{"bound", "left"} {
		made.pods[name] = must(core.Pods(namespace).Create(admin.ctx, newPod(name), metav1.CreateOptions{}))
	}
	return made
}

func newPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx:1.27"}}},
	}
}

// synced runs an informer until it has all there is.
func synced(c component, informer cache.SharedIndexInformer) {
	stop := make(chan struct{})
	go informer.Run(stop)
	if !cache.WaitForCacheSync(c.ctx.Done(), informer.HasSynced) {
		panic("an informer did not sync")
	}
	close(stop)
}

// campaign takes a Lease, and renews it.
func campaign(c component, name string) {
	lock := resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: "kube-system", Name: name},
		Client:     c.client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: "host_" + name},
	}
	if _, _, err := lock.Get(c.ctx); err == nil {
		panic("somebody leads")
	}
	record := resourcelock.LeaderElectionRecord{
		HolderIdentity: lock.Identity(), LeaseDurationSeconds: 15, AcquireTime: metav1.Now(), RenewTime: metav1.Now(),
	}
	must0(lock.Create(c.ctx, record))
	found, _, err := lock.Get(c.ctx)
	must0(err)
	found.RenewTime = metav1.NewTime(time.Now().Add(2 * time.Second))
	must0(lock.Update(c.ctx, *found))
}

// schedule does what a scheduler does: sees all, binds a pod, says why another cannot be.
func schedule(c component, world world) {
	campaign(c, "kube-scheduler")
	factory := informers.NewSharedInformerFactory(c.client, 0)
	unfinished := fields.ParseSelectorOrDie("status.phase!=Succeeded,status.phase!=Failed")
	pods := informers.NewSharedInformerFactoryWithOptions(c.client, 0, informers.WithTweakListOptions(func(options *metav1.ListOptions) {
		options.FieldSelector = unfinished.String()
	}))
	core, storage, apps, claims := factory.Core().V1(), factory.Storage().V1(), factory.Apps().V1(), factory.Resource().V1()
	for _, informer := range []cache.SharedIndexInformer{
		pods.Core().V1().Pods().Informer(), core.Nodes().Informer(), core.Namespaces().Informer(), core.Services().Informer(),
		core.PersistentVolumes().Informer(), core.PersistentVolumeClaims().Informer(), core.ReplicationControllers().Informer(),
		apps.ReplicaSets().Informer(), apps.StatefulSets().Informer(), factory.Policy().V1().PodDisruptionBudgets().Informer(),
		storage.StorageClasses().Informer(), storage.CSINodes().Informer(), storage.CSIDrivers().Informer(),
		storage.CSIStorageCapacities().Informer(), storage.VolumeAttachments().Informer(),
		claims.ResourceClaims().Informer(), claims.ResourceSlices().Informer(), claims.DeviceClasses().Informer(),
	} {
		synced(c, informer)
	}
	bound, left := world.pods["bound"], world.pods["left"]
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: bound.Name, UID: bound.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: world.node.Name},
	}
	must0(c.client.CoreV1().Pods(namespace).Bind(c.ctx, binding, metav1.CreateOptions{}))
	happened(c, bound, corev1.EventTypeNormal, "Scheduled", "Successfully assigned components/bound to place")

	changed := left.DeepCopy()
	changed.Status.Conditions = append(changed.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
		Message: "0/1 nodes are available: 1 Insufficient cpu.", LastTransitionTime: metav1.Now(), ObservedGeneration: left.Generation,
	})
	changed.Status.NominatedNodeName = world.node.Name
	patchStatus(c, left, changed)
	happened(c, left, corev1.EventTypeWarning, "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu.")
}

// patchStatus sends how the status of a pod differs, as components do.
func patchStatus(c component, before, after *corev1.Pod) {
	older := must(json.Marshal(corev1.Pod{Status: before.Status}))
	newer := must(json.Marshal(corev1.Pod{Status: after.Status}))
	patch := must(strategicpatch.CreateTwoWayMergePatch(older, newer, &corev1.Pod{}))
	pods := c.client.CoreV1().Pods(before.Namespace)
	must(pods.Patch(c.ctx, before.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"))
}

// happened records an Event of events.k8s.io, and that it happened again.
func happened(c component, about apiruntime.Object, kind, reason, note string) {
	regarding := must(reference.GetReference(scheme.Scheme, about))
	event := &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: regarding.Namespace, Name: regarding.Name + ".17f3b6a6b7c8d9e0"},
		EventTime:           metav1.NowMicro(),
		ReportingController: "default-scheduler",
		ReportingInstance:   "default-scheduler-host",
		Action:              "Scheduling",
		Reason:              reason,
		Regarding:           *regarding,
		Note:                note,
		Type:                kind,
	}
	api := c.client.EventsV1()
	made := must(api.Events(regarding.Namespace).Create(c.ctx, event, metav1.CreateOptions{}))
	again := made.DeepCopy()
	again.Series = &eventsv1.EventSeries{Count: 2, LastObservedTime: metav1.NowMicro()}
	patch := must(strategicpatch.CreateTwoWayMergePatch(must(json.Marshal(made)), must(json.Marshal(again)), &eventsv1.Event{}))
	must(api.Events(regarding.Namespace).Patch(c.ctx, made.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}))
}
