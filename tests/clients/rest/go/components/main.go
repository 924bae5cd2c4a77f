// What kube-controller-manager and kube-scheduler send, in the forms in which they send it: protobuf, metadata alone, watches that begin
// with a list, leases, bindings, statuses, events, tokens and reviews. Prints each request with the answer that it got, a line each:
// KUBECONFIG=... go run ./components
package main

import (
	"context"
	"os"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"net/http"
)

const namespace = "components"

// component is one user, with the clients that it has.
type component struct {
	ctx     context.Context
	config  *rest.Config
	client  kubernetes.Interface
	partial metadata.Interface
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	found, lock := []request{}, sync.Mutex{}
	config := must(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")))
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.QPS = -1
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return recorder{next, &found, &lock} })
	as := func(user string) component {
		own := rest.CopyConfig(config)
		own.Impersonate.UserName = user
		if user != "" {
			own.Impersonate.Groups = groups(user)
		}
		return component{ctx, own, kubernetes.NewForConfigOrDie(own), metadata.NewForConfigOrDie(own)}
	}
	world := prepare(as(""))
	schedule(as("system:kube-scheduler"), world)
	manage(as("system:kube-controller-manager"), world)
	for _, each := range controllers {
		each.act(as("system:serviceaccount:kube-system:"+each.name), world)
	}
	write(found, os.Stdout)
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
