// What controllers are built of, in client-go and in protobuf: informers, server-side apply, the dynamic client, metadata alone, the
// mapper of discovery, the scale client, and two candidates of whom one leads. KUBECONFIG=... go run ./informers NAMESPACE
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	appliedapps "k8s.io/client-go/applyconfigurations/apps/v1"
	appliedcore "k8s.io/client-go/applyconfigurations/core/v1"
	appliedmeta "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/retry"
)

const manager = "walk"

var deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	config := must(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")))
	protobuf := rest.CopyConfig(config)
	protobuf.ContentType = runtime.ContentTypeProtobuf
	protobuf.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	client, namespace := kubernetes.NewForConfigOrDie(protobuf), os.Args[1]

	follow(ctx, client, metadata.NewForConfigOrDie(protobuf), namespace)
	apply(ctx, client, namespace)
	anything(ctx, dynamic.NewForConfigOrDie(config), namespace)
	scaled(ctx, client, config, namespace)
	elect(ctx, client, namespace)
}

// follow has two informers, of objects and of metadata alone, see a map come, change and go.
func follow(ctx context.Context, client kubernetes.Interface, partial metadata.Interface, namespace string) {
	whole := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	slim := metadatainformer.NewFilteredSharedInformerFactory(partial, 0, namespace, nil)
	maps := whole.Core().V1().ConfigMaps()
	seen, slimSeen := handled(maps.Informer()), handled(slim.ForResource(configMaps).Informer())
	whole.Start(ctx.Done())
	slim.Start(ctx.Done())
	for kind, synced := range whole.WaitForCacheSync(ctx.Done()) {
		fmt.Println("synced:", kind, synced)
	}
	slim.WaitForCacheSync(ctx.Done())
	known := must(maps.Lister().ConfigMaps(namespace).List(labels.Everything()))
	fmt.Println("listed:", len(known), known[0].Name)

	api := client.CoreV1().ConfigMaps(namespace)
	wanted := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "followed"}, Data: map[string]string{"colour": "red"}}
	made := must(api.Create(ctx, wanted, metav1.CreateOptions{}))
	tell(seen, slimSeen, "add")
	made.Labels = map[string]string{"colour": "blue"}
	must(api.Update(ctx, made, metav1.UpdateOptions{}))
	tell(seen, slimSeen, "update")
	must0(api.Delete(ctx, "followed", metav1.DeleteOptions{}))
	tell(seen, slimSeen, "delete")
}

// handled collects what an informer says of the map "followed".
func handled(informer cache.SharedIndexInformer) chan string {
	found := make(chan string, 16)
	note := func(what string, object any) {
		if seen := object.(metav1.Object); seen.GetName() == "followed" {
			found <- strings.TrimSpace(what + " " + seen.GetLabels()["colour"])
		}
	}
	must(informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { note("add", object) },
		UpdateFunc: func(_, object any) { note("update", object) },
		DeleteFunc: func(object any) { note("delete", object) },
	}))
	return found
}

func tell(whole, slim chan string, what string) {
	fmt.Printf("seen: %s; metadata alone: %s\n", <-whole, <-slim)
}

// apply lets two managers have fields of one Deployment, and reads back which are whose.
func apply(ctx context.Context, client kubernetes.Interface, namespace string) {
	api, label := client.AppsV1().Deployments(namespace), map[string]string{"app": "web"}
	container := appliedcore.Container().WithName("web").WithImage("nginx:1.27")
	template := appliedcore.PodTemplateSpec().WithLabels(label).WithSpec(appliedcore.PodSpec().WithContainers(container))
	spec := appliedapps.DeploymentSpec().WithSelector(appliedmeta.LabelSelector().WithMatchLabels(label)).WithTemplate(template)
	web := appliedapps.Deployment("web", namespace).WithSpec(spec)
	must(api.Apply(ctx, web, metav1.ApplyOptions{FieldManager: manager}))
	replicas := appliedapps.Deployment("web", namespace).WithSpec(appliedapps.DeploymentSpec().WithReplicas(3))
	found := must(api.Apply(ctx, replicas, metav1.ApplyOptions{FieldManager: "scaler"}))
	fmt.Println("applied:", *found.Spec.Replicas, found.Spec.Template.Spec.Containers[0].Image)
	own := must(appliedapps.ExtractDeployment(found, "scaler"))
	fmt.Println("the scaler's:", *own.Spec.Replicas, own.Spec.Template == nil)
	first := must(appliedapps.ExtractDeployment(found, manager))
	fmt.Println("the first one's:", first.Spec.Replicas == nil, *first.Spec.Template.Spec.Containers[0].Image)
}

// anything uses a client that knows no kinds.
func anything(ctx context.Context, client dynamic.Interface, namespace string) {
	api := client.Resource(deployments).Namespace(namespace)
	revision := must(api.List(ctx, metav1.ListOptions{})).GetResourceVersion()
	stream := must(api.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=web", ResourceVersion: revision}))
	defer stream.Stop()
	described := map[string]any{"name": "web", "annotations": map[string]any{"note": "here"}}
	text := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": described}
	must(api.Apply(ctx, "web", &unstructured.Unstructured{Object: text}, metav1.ApplyOptions{FieldManager: "dynamic"}))
	for event := range stream.ResultChan() {
		found := event.Object.(*unstructured.Unstructured)
		if note := found.GetAnnotations()["note"]; note != "" {
			fmt.Println("unstructured:", event.Type, found.GetKind(), found.GetName(), note)
			return
		}
	}
}

// scaled goes from a kind to its resource by discovery, and changes its scale without knowing it.
func scaled(ctx context.Context, client kubernetes.Interface, config *rest.Config, namespace string) {
	cached := memory.NewMemCacheClient(client.Discovery())
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	mapping := must(mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"}))
	fmt.Println("mapped:", mapping.Resource, mapping.Scope.Name())
	scales := must(scale.NewForConfig(config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(client.Discovery())))
	resource := deployments.GroupResource()
	must0(retry.RetryOnConflict(retry.DefaultBackoff, func() error { // the controller writes the status of the same object
		found := must(scales.Scales(namespace).Get(ctx, resource, "web", metav1.GetOptions{}))
		found.Spec.Replicas = 2
		found, err := scales.Scales(namespace).Update(ctx, resource, found, metav1.UpdateOptions{})
		if err == nil {
			fmt.Println("scaled:", found.Spec.Replicas, found.Status.Selector)
		}
		return err
	}))
	lists, err := discovery.ServerPreferredNamespacedResources(client.Discovery())
	must0(err)
	deletable := discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"delete", "list", "watch"}}, lists)
	for _, list := range deletable {
		if list.GroupVersion == "apps/v1" {
			fmt.Println("in apps/v1:", len(list.APIResources))
		}
	}
	foreground := metav1.DeletePropagationForeground
	must0(client.AppsV1().Deployments(namespace).Delete(ctx, "web", metav1.DeleteOptions{PropagationPolicy: &foreground}))
}

// elect has one candidate lead, and the other when the first one goes.
func elect(ctx context.Context, client kubernetes.Interface, namespace string) {
	told, turns := make(chan string), map[string]context.CancelFunc{}
	for _, name := range []string{"one", "two"} {
		turn, cancel := context.WithCancel(ctx)
		turns[name] = cancel
		go leaderelection.RunOrDie(turn, leaderelection.LeaderElectionConfig{
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: "walk"},
				Client:     client.CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: name},
			},
			LeaseDuration:   15 * time.Second,
			RenewDeadline:   10 * time.Second,
			RetryPeriod:     100 * time.Millisecond,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { told <- "leads: " + name },
				OnStoppedLeading: func() { told <- "ends: " + name },
			},
		})
		if name == "one" {
			fmt.Println(<-told)
		}
	}
	turns["one"]()
	handed := []string{<-told, <-told}
	sort.Strings(handed)
	fmt.Println(strings.Join(handed, ", "))
	lease := must(client.CoordinationV1().Leases(namespace).Get(ctx, "walk", metav1.GetOptions{}))
	fmt.Println("holder:", *lease.Spec.HolderIdentity, "transitions:", *lease.Spec.LeaseTransitions)
	turns["two"]()
	fmt.Println(<-told)
}

func must[T any](value T, err error) T {
	must0(err)
	return value
}

func must0(err error) {
	if err != nil {
		panic(err)
	}
}
