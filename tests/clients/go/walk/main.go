// The walk that every client takes, in Go: go run ./walk ENDPOINTS.JSON NAMESPACE
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	bulkv1 "example.com/app/gen/kcore/api/bulk/v1"
	corev1 "example.com/app/gen/kcore/api/core/v1"
	metav1 "example.com/app/gen/kcore/api/meta/v1"
)

const count = 7

// bearer sends the token with each call.
type bearer string

func (token bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(token)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	address, secure, token := endpoint(os.Args[1])
	stranger := dial(address, secure)
	defer stranger.Close()
	connection := dial(address, secure, grpc.WithPerRPCCredentials(bearer(token)))
	defer connection.Close()

	_, err := corev1.NewPodServiceClient(stranger).List(ctx, &metav1.ListRequest{})
	fmt.Println("stranger:", refusal(err))
	walk := walk{ctx, corev1.NewPodServiceClient(connection), bulkv1.NewBulkServiceClient(connection), os.Args[2]}
	walk.create()
	walk.refused()
	revision := walk.pages()
	walk.follow(revision)
	walk.conflict()
	walk.bind()
	walk.delete(revision)
}

// endpoint reads where the server is, who vouches for it, and the token.
func endpoint(file string) (string, credentials.TransportCredentials, string) {
	var found struct{ Grpc, Ca, Token string }
	must0(json.Unmarshal(must(os.ReadFile(file)), &found))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(must(os.ReadFile(found.Ca)))
	return found.Grpc, credentials.NewTLS(&tls.Config{RootCAs: pool}), found.Token
}

func dial(address string, secure credentials.TransportCredentials, more ...grpc.DialOption) *grpc.ClientConn {
	return must(grpc.NewClient(address, append(more, grpc.WithTransportCredentials(secure))...))
}

type walk struct {
	ctx       context.Context
	pods      corev1.PodServiceClient
	bulk      bulkv1.BulkServiceClient
	namespace string
}

func name(number int) string { return fmt.Sprintf("walk-%d", number) }

func (w walk) pod(name string) *corev1.Pod {
	cpu := map[string]*metav1.Quantity{"cpu": {String_: proto.String("100m")}}
	return &corev1.Pod{
		Metadata: &metav1.ObjectMeta{Name: &name, Labels: map[string]string{"app": "walk"}},
		Spec: &corev1.PodSpec{
			SchedulerName: proto.String("nobody"),
			Containers: []*corev1.Container{{
				Name:      proto.String("main"),
				Image:     proto.String("nginx:1.27"),
				Resources: &corev1.ResourceRequirements{Requests: cpu},
			}},
		},
	}
}

func (w walk) write(pod *corev1.Pod) *corev1.PodWriteRequest {
	return &corev1.PodWriteRequest{Namespace: &w.namespace, Name: pod.Metadata.Name, Object: pod}
}

func (w walk) get(name string) (*corev1.Pod, error) {
	return w.pods.Get(w.ctx, &metav1.GetRequest{Namespace: &w.namespace, Name: &name})
}

func (w walk) create() {
	for number := range count {
		pod := must(w.pods.Create(w.ctx, w.write(w.pod(name(number)))))
		cpu := pod.Spec.Containers[0].Resources.Requests["cpu"].GetString_()
		fmt.Println("created:", pod.Metadata.GetName(), pod.Status.GetPhase(), cpu)
	}
}

func (w walk) refused() {
	_, err := w.pods.Create(w.ctx, w.write(w.pod(name(0))))
	fmt.Println("again:", refusal(err))
	bad := w.pod("Walk")
	bad.Spec.Containers[0].Image = nil
	_, err = w.pods.Create(w.ctx, w.write(bad))
	fmt.Println("invalid:", refusal(err))
	for _, cause := range kubernetes(err).GetDetails().GetCauses() {
		fmt.Println("cause:", cause.GetReason(), cause.GetField())
	}
}

// pages lists three at a time; -> the revision that all pages show.
func (w walk) pages() string {
	request := &metav1.ListRequest{Namespace: &w.namespace, Limit: proto.Int64(3)}
	for {
		page := must(w.pods.List(w.ctx, request))
		var names []string
		for _, pod := range page.Items {
			names = append(names, pod.Metadata.GetName())
		}
		fmt.Println("page:", strings.Join(names, " "), "left:", page.Metadata.GetRemainingItemCount())
		if page.Metadata.GetContinue() == "" {
			return page.Metadata.GetResourceVersion()
		}
		request.ContinueToken = page.Metadata.Continue
	}
}

// watch calls visit for each change after a revision, until it returns false.
func (w walk) watch(revision string, visit func(*corev1.PodWatchEvent) bool) {
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	stream := must(w.pods.Watch(ctx, &metav1.WatchRequest{Namespace: &w.namespace, ResourceVersion: &revision}))
	for {
		for _, event := range must(stream.Recv()).Events {
			if !visit(event) {
				return
			}
		}
	}
}

func (w walk) label(name, tier string) {
	pod := must(w.get(name))
	pod.Metadata.Labels["tier"] = tier
	updated := must(w.pods.Update(w.ctx, w.write(pod)))
	fmt.Println("updated:", name, updated.Metadata.Labels["tier"])
}

// follow watches, lets go, and goes on where it was: what happened in between is seen, what was seen is not seen again.
func (w walk) follow(revision string) {
	next := func(what string) {
		w.watch(revision, func(event *corev1.PodWatchEvent) bool {
			revision = event.Object.Metadata.GetResourceVersion()
			fmt.Println(what, event.GetType(), event.Object.Metadata.GetName(), event.Object.Metadata.Labels["tier"])
			return false
		})
	}
	w.label(name(0), "front")
	next("watched:")
	w.label(name(1), "back")
	w.label(name(2), "back")
	next("resumed:")
	next("resumed:")
}

func (w walk) conflict() {
	stale := must(w.get(name(3)))
	w.label(name(3), "front")
	_, err := w.pods.Update(w.ctx, w.write(stale))
	fmt.Println("conflict:", refusal(err))
	about := kubernetes(err).GetDetails()
	fmt.Println("about:", about.GetKind(), about.GetName())
	w.label(name(3), "middle")
}

// bind assigns pods to nodes, all in one commit; the last is not there. The stream stays open for a second request.
func (w walk) bind() {
	stream := must(w.bulk.Write(w.ctx))
	bind := func(numbers ...int) {
		request := &bulkv1.WriteRequest{}
		for _, number := range numbers {
			request.Items = append(request.Items, w.binding(name(number), fmt.Sprintf("node-%d", number%2)))
		}
		must0(stream.Send(request))
		for index, result := range must(stream.Recv()).Results {
			outcome := "ok"
			if result.Status != nil {
				outcome = fmt.Sprint(result.Status.GetReason(), " ", result.Status.GetCode())
			}
			fmt.Println("bound:", name(numbers[index]), outcome)
		}
	}
	bind(0, 1, 2, 3, 4, 5, 6, 9)
	bind(0)
	must0(stream.CloseSend())
	for number := range count {
		pod := must(w.get(name(number)))
		fmt.Println("on:", pod.Metadata.GetName(), pod.Spec.GetNodeName())
	}
}

func (w walk) binding(pod, node string) *bulkv1.Item {
	binding := &corev1.Binding{
		Metadata: &metav1.ObjectMeta{Name: &pod},
		Target:   &corev1.ObjectReference{Kind: proto.String("Node"), Name: &node},
	}
	return &bulkv1.Item{
		Verb: proto.String("create"), Version: proto.String("v1"), Resource: proto.String("pods"), Subresource: proto.String("binding"),
		Namespace: &w.namespace, Name: &pod, Object: must(proto.Marshal(binding)),
	}
}

func (w walk) delete(revision string) {
	now := &metav1.DeleteOptions{GracePeriodSeconds: proto.Int64(0)}
	for number := range count {
		pod := name(number)
		must(w.pods.Delete(w.ctx, &metav1.DeleteRequest{Namespace: &w.namespace, Name: &pod, Options: now}))
	}
	var deleted []string
	w.watch(revision, func(event *corev1.PodWatchEvent) bool {
		if event.GetType() == "DELETED" {
			deleted = append(deleted, event.Object.Metadata.GetName())
		}
		return len(deleted) < count
	})
	sort.Strings(deleted)
	fmt.Println("deleted:", strings.Join(deleted, " "))
	_, err := w.get(name(0))
	fmt.Println("gone:", refusal(err))
	fmt.Println("left:", len(must(w.pods.List(w.ctx, &metav1.ListRequest{Namespace: &w.namespace})).Items))
}

// kubernetes is the Status in the details of an error.
func kubernetes(err error) *metav1.Status {
	for _, detail := range status.Convert(err).Details() {
		if found, is := detail.(*metav1.Status); is {
			return found
		}
	}
	panic(fmt.Sprint("no Status in the details of ", err))
}

func refusal(err error) string {
	found := kubernetes(err)
	return fmt.Sprintf("%d %s %d %s", status.Code(err), found.GetReason(), found.GetCode(), found.GetMessage())
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
