package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

// request is what a component sent, and what it was answered: Uid is that of the object in the answer.
type request struct {
	User, Method, Path, Query string
	Accept, ContentType       string
	Body                      []byte
	Code                      int
	Answer, Kind, Uid         string
}

// recorder keeps all requests that go through it, in order.
type recorder struct {
	next http.RoundTripper
	into *[]request
	lock *sync.Mutex
}

func (r recorder) RoundTrip(asked *http.Request) (*http.Response, error) {
	kept := request{
		User:        asked.Header.Get("Impersonate-User"),
		Method:      asked.Method,
		Path:        asked.URL.Path,
		Query:       asked.URL.RawQuery,
		Accept:      asked.Header.Get("Accept"),
		ContentType: asked.Header.Get("Content-Type"),
	}
	if asked.Body != nil {
		kept.Body = must(io.ReadAll(asked.Body))
		asked.Body = io.NopCloser(bytes.NewReader(kept.Body))
	}
	answer, err := r.next.RoundTrip(asked)
	if err != nil {
		return answer, err
	}
	kept.Code, kept.Answer = answer.StatusCode, answer.Header.Get("Content-Type")
	if asked.URL.Query().Get("watch") == "" {
		body := must(io.ReadAll(answer.Body))
		answer.Body = io.NopCloser(bytes.NewReader(body))
		kept.Kind, kept.Uid = about(body)
	}
	r.lock.Lock()
	*r.into = append(*r.into, kept)
	r.lock.Unlock()
	return answer, nil
}

var codecs = serializer.NewCodecFactory(known())

// known are all kinds, and those that show parts of any kind.
func known() *runtime.Scheme {
	found := runtime.NewScheme()
	must0(scheme.AddToScheme(found))
	must0(metav1.AddMetaToScheme(found))
	return found
}

// about reads what kind of object an answer holds, and its uid.
func about(body []byte) (string, string) {
	object, kind, err := codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		return "", ""
	}
	if found, err := meta.Accessor(object); err == nil {
		return kind.Kind, string(found.GetUID())
	}
	return kind.Kind, ""
}

// write prints the requests, one a line.
func write(requests []request, out io.Writer) {
	encoder := json.NewEncoder(out)
	for _, each := range requests {
		must0(encoder.Encode(each))
	}
}
