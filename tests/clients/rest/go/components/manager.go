package main

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

// controllers act one after the other, each as the account that it has.
var controllers = []struct {
	name string
	act  func(component, world)
}{
	{"deployment-controller", deploy},
	{"replicaset-controller", replicate},
	{"endpointslice-controller", sliceEndpoints},
	{"horizontal-pod-autoscaler", autoscale},
	{"resourcequota-controller", countQuota},
	{"node-controller", taint},
	{"generic-garbage-collector", collect},
	{"namespace-controller", clear},
}

var pods = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

// manage does what the manager does itself: leads, sees all, has tokens made for its controllers, and asks who may ask it.
func manage(c component, _ world) {
	campaign(c, "kube-controller-manager")
	core := c.client.CoreV1()
	for _, each := range controllers {
		accounts := core.ServiceAccounts("kube-system")
		if _, err := accounts.Get(c.ctx, each.name, metav1.GetOptions{}); err != nil {
			account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: each.name}}
			must(accounts.Create(c.ctx, account, metav1.CreateOptions{}))
		}
		hour := int64(3600)
		asked := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hour}}
		must(accounts.CreateToken(c.ctx, each.name, asked, metav1.CreateOptions{}))
	}
	factory := informers.NewSharedInformerFactory(c.client, 0)
	synced(c, factory.Core().V1().Secrets().Informer())
	synced(c, factory.Batch().V1().Jobs().Informer())
	slim := metadatainformer.NewSharedInformerFactory(c.partial, 0)
	synced(c, slim.ForResource(pods).Informer())
	synced(c, slim.ForResource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Informer())
	own := fields.OneTermEqualSelector("metadata.name", "extension-apiserver-authentication").String()
	one := informers.NewSharedInformerFactoryWithOptions(c.client, 0, informers.WithNamespace("kube-system"),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.FieldSelector = own }))
	synced(c, one.Core().V1().ConfigMaps().Informer())

	token := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: "nobody"}}
	must(c.client.AuthenticationV1().TokenReviews().Create(c.ctx, token, metav1.CreateOptions{}))
	asked := authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: "somebody", NonResourceAttributes: &asked}}
	must(c.client.AuthorizationV1().SubjectAccessReviews().Create(c.ctx, review, metav1.CreateOptions{}))
	must(c.client.Discovery().ServerPreferredResources())
}

func deploy(c component, _ world) {
	api, label := c.client.AppsV1(), map[string]string{"app": "web"}
	replicas := int32(1)
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: label}, Spec: newPod("").Spec}
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace, Labels: label},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: label}, Template: template},
	}
	made := must(api.ReplicaSets(namespace).Create(c.ctx, set, metav1.CreateOptions{}))
	replicas = 2
	made.Spec.Replicas = &replicas
	must(api.ReplicaSets(namespace).Update(c.ctx, made, metav1.UpdateOptions{}))
	event := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "web.17f3b6a6b7c8d9e1", Namespace: namespace},
		InvolvedObject: corev1.ObjectReference{Kind: "ReplicaSet", APIVersion: "apps/v1", Namespace: namespace, Name: "web", UID: made.UID},
		Reason:         "Scaled", Message: "scaled up to 2", Type: corev1.EventTypeNormal, Count: 1,
		FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(), Source: corev1.EventSource{Component: "deployment-controller"},
	}
	events := c.client.CoreV1().Events(namespace)
	told := must(events.CreateWithEventNamespaceWithContext(c.ctx, event))
	must(events.PatchWithEventNamespaceWithContext(c.ctx, told, []byte(`{"count":2}`)))
}

func replicate(c component, world world) {
	sets := c.client.AppsV1().ReplicaSets(namespace)
	set := must(sets.Get(c.ctx, "web", metav1.GetOptions{}))
	made := newPod("")
	made.GenerateName = "web-"
	made.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
	must(c.client.CoreV1().Pods(namespace).Create(c.ctx, made, metav1.CreateOptions{}))
	adopted := world.pods["left"]
	owner := fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":%q,"controller":true,"blockOwnerDeletion":true}`, set.UID)
	patch := fmt.Sprintf(`{"metadata":{"ownerReferences":[%s],"uid":%q}}`, owner, adopted.UID)
	must(c.client.CoreV1().Pods(namespace).Patch(c.ctx, adopted.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}))
	set.Status = appsv1.ReplicaSetStatus{Replicas: 2, FullyLabeledReplicas: 2, ObservedGeneration: set.Generation}
	must(sets.UpdateStatus(c.ctx, set, metav1.UpdateOptions{}))
}

func sliceEndpoints(c component, world world) {
	yes, port, name := true, int32(80), "web"
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{GenerateName: "web-", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{"10.1.2.3"},
			Conditions: discoveryv1.EndpointConditions{Ready: &yes},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: "bound", UID: world.pods["bound"].UID},
		}},
	}
	must(c.client.DiscoveryV1().EndpointSlices(namespace).Create(c.ctx, slice, metav1.CreateOptions{}))
}

func autoscale(c component, _ world) {
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.client.Discovery()))
	resolver := scale.NewDiscoveryScaleKindResolver(c.client.Discovery())
	scales := must(scale.NewForConfig(c.config, mapper, dynamic.LegacyAPIPathResolverFunc, resolver)).Scales(namespace)
	sets := schema.GroupResource{Group: "apps", Resource: "replicasets"}
	found := must(scales.Get(c.ctx, sets, "web", metav1.GetOptions{}))
	found.Spec.Replicas = 3
	must(scales.Update(c.ctx, sets, found, metav1.UpdateOptions{}))
}

func countQuota(c component, _ world) {
	quotas, err := c.client.CoreV1().ResourceQuotas(namespace).List(c.ctx, metav1.ListOptions{})
	must0(err)
	quota := quotas.Items[0]
	quota.Status.Hard = quota.Spec.Hard
	quota.Status.Used = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("7")}
	must(c.client.CoreV1().ResourceQuotas(namespace).UpdateStatus(c.ctx, &quota, metav1.UpdateOptions{}))
}

func taint(c component, world world) {
	nodes := c.client.CoreV1().Nodes()
	since := must(json.Marshal(metav1.Now()))
	patch := fmt.Sprintf(`{"spec":{"taints":[{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","timeAdded":%s}]}}`, since)
	must(nodes.Patch(c.ctx, world.node.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}))
	found := must(nodes.Get(c.ctx, world.node.Name, metav1.GetOptions{}))
	found.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown"}}
	must(nodes.UpdateStatus(c.ctx, found, metav1.UpdateOptions{}))
}

// collect deletes what it knows the metadata of, if it is still the same.
func collect(c component, world world) {
	api := c.partial.Resource(pods).Namespace(namespace)
	found := must(api.Get(c.ctx, "left", metav1.GetOptions{}))
	patch := fmt.Sprintf(`{"metadata":{"ownerReferences":[],"uid":%q}}`, found.UID)
	must(api.Patch(c.ctx, "left", types.MergePatchType, []byte(patch), metav1.PatchOptions{}))
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &found.UID}, PropagationPolicy: &background}
	must0(api.Delete(c.ctx, "left", options))
}

// clear empties a namespace that is being deleted, and lets it go.
func clear(c component, _ world) {
	api := c.partial.Resource(pods).Namespace(namespace)
	now := int64(0)
	must0(api.DeleteCollection(c.ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{}))
	must(api.List(c.ctx, metav1.ListOptions{}))
	namespaces := c.client.CoreV1().Namespaces()
	must0(namespaces.Delete(c.ctx, namespace, metav1.DeleteOptions{}))
	found := must(namespaces.Get(c.ctx, namespace, metav1.GetOptions{}))
	found.Spec.Finalizers = nil
	must(namespaces.Finalize(c.ctx, found, metav1.UpdateOptions{}))
}
