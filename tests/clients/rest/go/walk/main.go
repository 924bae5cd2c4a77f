// The walk over REST with client-go, in protobuf: KUBECONFIG=... go run ./walk NAMESPACE
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const count = 3
const selector = "app=walk"

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	config := must(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")))
	config.ContentType = runtime.ContentTypeProtobuf
	namespace := os.Args[1]

	nobody := rest.AnonymousClientConfig(config)
	nobody.BearerToken = "nobody"
	_, err := kubernetes.NewForConfigOrDie(nobody).CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
	told("stranger:", err)
	walk := walk{ctx, kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps(namespace)}
	walk.create()
	revision := walk.pages()
	walk.follow(revision)
	walk.conflict(revision)
	walk.apply()
	walk.delete()
}

type walk struct {
	ctx  context.Context
	maps typedcorev1.ConfigMapInterface
}

func name(number int) string { return fmt.Sprintf("walk-%d", number) }

func newMap(name string) *corev1.ConfigMap {
	metadata := metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "walk"}}
	return &corev1.ConfigMap{ObjectMeta: metadata, Data: map[string]string{"colour": "red"}}
}

func (w walk) create() {
	for number := range count {
		made := must(w.maps.Create(w.ctx, newMap(name(number)), metav1.CreateOptions{}))
		fmt.Println("created:", made.Name, made.Data["colour"])
	}
	_, err := w.maps.Create(w.ctx, newMap(name(0)), metav1.CreateOptions{})
	told("again:", err)
	_, err = w.maps.Create(w.ctx, newMap("Walk"), metav1.CreateOptions{})
	told("invalid:", err)
}

// pages lists two at a time; -> the revision that all pages show.
func (w walk) pages() string {
	options := metav1.ListOptions{LabelSelector: selector, Limit: 2}
	for {
		page := must(w.maps.List(w.ctx, options))
		names := []string{}
		for _, item := range page.Items {
			names = append(names, item.Name)
		}
		fmt.Println("page:", strings.Join(names, " "))
		if options.Continue = page.Continue; options.Continue == "" {
			return page.ResourceVersion
		}
	}
}

func (w walk) paint(number int, colour string) {
	patch := fmt.Sprintf(`{"data": {"colour": %q}}`, colour)
	done := must(w.maps.Patch(w.ctx, name(number), types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}))
	fmt.Println("patched:", done.Name, done.Data["colour"])
}

// watch shows each change after a revision to a visitor, until it has seen enough.
func (w walk) watch(revision string, isEnough func(watch.EventType, *corev1.ConfigMap) bool) {
	stream := must(w.maps.Watch(w.ctx, metav1.ListOptions{LabelSelector: selector, ResourceVersion: revision}))
	defer stream.Stop()
	for event := range stream.ResultChan() {
		if isEnough(event.Type, event.Object.(*corev1.ConfigMap)) {
			return
		}
	}
	panic("the watch ended")
}

// next prints the first change after a revision; -> its own.
func (w walk) next(what string, revision string) (reached string) {
	w.watch(revision, func(kind watch.EventType, found *corev1.ConfigMap) bool {
		fmt.Println(what, kind, found.Name, found.Data["colour"])
		reached = found.ResourceVersion
		return true
	})
	return reached
}

// follow watches, lets go, and goes on there.
func (w walk) follow(revision string) {
	w.paint(0, "green")
	revision = w.next("watched:", revision)
	w.paint(1, "blue")
	w.paint(2, "blue")
	revision = w.next("resumed:", revision)
	w.next("resumed:", revision)
}

func (w walk) conflict(revision string) {
	stale := must(w.maps.Get(w.ctx, name(0), metav1.GetOptions{}))
	stale.ResourceVersion = revision
	_, err := w.maps.Update(w.ctx, stale, metav1.UpdateOptions{})
	told("conflict:", err)
}

func (w walk) applied(colour string, manager string, force bool) (*corev1.ConfigMap, error) {
	wanted := applycorev1.ConfigMap(name(0), "").WithData(map[string]string{"colour": colour})
	wanted.Namespace = nil
	return w.maps.Apply(w.ctx, wanted, metav1.ApplyOptions{FieldManager: manager, Force: force})
}

func (w walk) apply() {
	fmt.Println("applied: walk-0", must(w.applied("yellow", "walk", true)).Data["colour"])
	_, err := w.applied("black", "other", false)
	told("contested:", err)
	fmt.Println("forced: walk-0", must(w.applied("black", "other", true)).Data["colour"])
}

func (w walk) delete() {
	revision := must(w.maps.List(w.ctx, metav1.ListOptions{LabelSelector: selector})).ResourceVersion
	for number := range count {
		must0(w.maps.Delete(w.ctx, name(number), metav1.DeleteOptions{}))
	}
	deleted := []string{}
	w.watch(revision, func(kind watch.EventType, found *corev1.ConfigMap) bool {
		if kind == watch.Deleted {
			deleted = append(deleted, found.Name)
		}
		return len(deleted) == count
	})
	sort.Strings(deleted)
	fmt.Println("deleted:", strings.Join(deleted, " "))
	_, err := w.maps.Get(w.ctx, name(0), metav1.GetOptions{})
	told("gone:", err)
	fmt.Println("left:", len(must(w.maps.List(w.ctx, metav1.ListOptions{LabelSelector: selector})).Items))
}

// told prints how a call is refused.
func told(what string, err error) {
	if err == nil {
		panic(what + " the call was not refused")
	}
	status := err.(apierrors.APIStatus).Status()
	if status.Code == 401 {
		fmt.Println(what, status.Code, status.Reason)
		return
	}
	fmt.Println(what, status.Code, status.Reason, status.Message)
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
