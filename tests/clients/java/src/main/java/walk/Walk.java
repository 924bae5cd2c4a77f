package walk;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.kcore.api.bulk.v1.BulkServiceGrpc;
import dev.kcore.api.bulk.v1.Item;
import dev.kcore.api.bulk.v1.ItemResult;
import dev.kcore.api.bulk.v1.WriteRequest;
import dev.kcore.api.bulk.v1.WriteResponse;
import dev.kcore.api.core.v1.Binding;
import dev.kcore.api.core.v1.Container;
import dev.kcore.api.core.v1.ObjectReference;
import dev.kcore.api.core.v1.Pod;
import dev.kcore.api.core.v1.PodList;
import dev.kcore.api.core.v1.PodServiceGrpc;
import dev.kcore.api.core.v1.PodSpec;
import dev.kcore.api.core.v1.PodWatchEvent;
import dev.kcore.api.core.v1.PodWatchResponse;
import dev.kcore.api.core.v1.PodWriteRequest;
import dev.kcore.api.core.v1.ResourceRequirements;
import dev.kcore.api.meta.v1.DeleteOptions;
import dev.kcore.api.meta.v1.DeleteRequest;
import dev.kcore.api.meta.v1.GetRequest;
import dev.kcore.api.meta.v1.ListRequest;
import dev.kcore.api.meta.v1.ObjectMeta;
import dev.kcore.api.meta.v1.Quantity;
import dev.kcore.api.meta.v1.Status;
import dev.kcore.api.meta.v1.StatusCause;
import dev.kcore.api.meta.v1.StatusDetails;
import dev.kcore.api.meta.v1.WatchRequest;
import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The walk that every client takes, in Java: java walk.Walk ENDPOINTS.JSON NAMESPACE. */
public final class Walk {
  private static final int COUNT = 7;

  private final PodServiceGrpc.PodServiceBlockingStub pods;
  private final BulkServiceGrpc.BulkServiceStub bulk;
  private final String namespace;

  private Walk(ManagedChannel channel, CallCredentials token, String namespace) {
    this.pods = PodServiceGrpc.newBlockingStub(channel).withCallCredentials(token);
    this.bulk = BulkServiceGrpc.newStub(channel).withCallCredentials(token);
    this.namespace = namespace;
  }

  public static void main(String[] arguments) throws Exception {
    JsonObject endpoint = JsonParser.parseString(Files.readString(Path.of(arguments[0]))).getAsJsonObject();
    File ca = new File(endpoint.get("ca").getAsString());
    ChannelCredentials tls = TlsChannelCredentials.newBuilder().trustManager(ca).build();
    ManagedChannel channel = Grpc.newChannelBuilder(endpoint.get("grpc").getAsString(), tls).build();
    try {
      told("stranger:", () -> PodServiceGrpc.newBlockingStub(channel).list(ListRequest.getDefaultInstance()));
      Walk walk = new Walk(channel, new Bearer(endpoint.get("token").getAsString()), arguments[1]);
      walk.create();
      walk.refused();
      String revision = walk.pages();
      walk.follow(revision);
      walk.conflict();
      walk.bind();
      walk.delete(revision);
    } finally {
      channel.shutdownNow();
    }
  }

  /** Sends the token with each call. */
  private static final class Bearer extends CallCredentials {
    private static final Metadata.Key<String> KEY = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private final String token;

    Bearer(String token) {
      this.token = token;
    }

    @Override
    public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
      Metadata metadata = new Metadata();
      metadata.put(KEY, "Bearer " + token);
      applier.apply(metadata);
    }
  }

  private static String name(int number) {
    return "walk-" + number;
  }

  private static Pod pod(String name, boolean withImage) {
    Quantity cpu = Quantity.newBuilder().setString("100m").build();
    Container.Builder container =
        Container.newBuilder().setName("main").setResources(ResourceRequirements.newBuilder().putRequests("cpu", cpu));
    if (withImage) {
      container.setImage("nginx:1.27");
    }
    return Pod.newBuilder()
        .setMetadata(ObjectMeta.newBuilder().setName(name).putLabels("app", "walk"))
        .setSpec(PodSpec.newBuilder().setSchedulerName("nobody").addContainers(container))
        .build();
  }

  /** Prints how a call is refused; returns the Status in the details of its error. */
  private static Status told(String what, Runnable call) throws InvalidProtocolBufferException {
    try {
      call.run();
    } catch (StatusRuntimeException refused) {
      Status status = StatusProto.fromThrowable(refused).getDetails(0).unpack(Status.class);
      int code = refused.getStatus().getCode().value();
      System.out.println(String.join(" ", what, "" + code, status.getReason(), "" + status.getCode(), status.getMessage()));
      return status;
    }
    throw new AssertionError(what + " the call was not refused");
  }

  private PodWriteRequest write(Pod pod) {
    return PodWriteRequest.newBuilder().setNamespace(namespace).setName(pod.getMetadata().getName()).setObject(pod).build();
  }

  private Pod get(int number) {
    return pods.get(GetRequest.newBuilder().setNamespace(namespace).setName(name(number)).build());
  }

  private void create() {
    for (int number = 0; number < COUNT; number++) {
      Pod made = pods.create(write(pod(name(number), true)));
      String cpu = made.getSpec().getContainers(0).getResources().getRequestsOrThrow("cpu").getString();
      System.out.println("created: " + made.getMetadata().getName() + " " + made.getStatus().getPhase() + " " + cpu);
    }
  }

  private void refused() throws InvalidProtocolBufferException {
    told("again:", () -> pods.create(write(pod(name(0), true))));
    Status status = told("invalid:", () -> pods.create(write(pod("Walk", false))));
    for (StatusCause cause : status.getDetails().getCausesList()) {
      System.out.println("cause: " + cause.getReason() + " " + cause.getField());
    }
  }

  /** Lists three at a time; returns the revision that all pages show. */
  private String pages() {
    ListRequest.Builder request = ListRequest.newBuilder().setNamespace(namespace).setLimit(3);
    while (true) {
      PodList page = pods.list(request.build());
      String names = page.getItemsList().stream().map(pod -> pod.getMetadata().getName()).collect(Collectors.joining(" "));
      System.out.println("page: " + names + " left: " + page.getMetadata().getRemainingItemCount());
      if (page.getMetadata().getContinue().isEmpty()) {
        return page.getMetadata().getResourceVersion();
      }
      request.setContinueToken(page.getMetadata().getContinue());
    }
  }

  private void label(int number, String tier) {
    Pod.Builder pod = get(number).toBuilder();
    pod.getMetadataBuilder().putLabels("tier", tier);
    Pod updated = pods.update(write(pod.build()));
    System.out.println("updated: " + name(number) + " " + updated.getMetadata().getLabelsOrThrow("tier"));
  }

  /** Shows each change after a revision to a visitor, until it has seen enough. */
  private void watch(String revision, Predicate<PodWatchEvent> isEnough) throws Exception {
    WatchRequest request = WatchRequest.newBuilder().setNamespace(namespace).setResourceVersion(revision).build();
    try (Context.CancellableContext call = Context.current().withCancellation()) {
      call.call(() -> {
        for (Iterator<PodWatchResponse> responses = pods.watch(request); responses.hasNext(); ) {
          if (responses.next().getEventsList().stream().anyMatch(isEnough)) {
            return null;
          }
        }
        throw new AssertionError("the watch ended");
      });
    }
  }

  /** Prints the first change after a revision; returns its own. */
  private String next(String what, String revision) throws Exception {
    String[] reached = new String[1];
    watch(revision, event -> {
      ObjectMeta metadata = event.getObject().getMetadata();
      System.out.println(String.join(" ", what, event.getType(), metadata.getName(), metadata.getLabelsOrThrow("tier")));
      reached[0] = metadata.getResourceVersion();
      return true;
    });
    return reached[0];
  }

  /** Watches, lets go, and goes on there: what happened in between is seen, what was seen is not seen again. */
  private void follow(String start) throws Exception {
    label(0, "front");
    String revision = next("watched:", start);
    label(1, "back");
    label(2, "back");
    revision = next("resumed:", revision);
    next("resumed:", revision);
  }

  private void conflict() throws InvalidProtocolBufferException {
    Pod stale = get(3);
    label(3, "front");
    StatusDetails about = told("conflict:", () -> pods.update(write(stale))).getDetails();
    System.out.println("about: " + about.getKind() + " " + about.getName());
    label(3, "middle");
  }

  private Item binding(int number) {
    Binding binding =
        Binding.newBuilder()
            .setMetadata(ObjectMeta.newBuilder().setName(name(number)))
            .setTarget(ObjectReference.newBuilder().setKind("Node").setName("node-" + number % 2))
            .build();
    return Item.newBuilder()
        .setVerb("create")
        .setVersion("v1")
        .setResource("pods")
        .setSubresource("binding")
        .setNamespace(namespace)
        .setName(name(number))
        .setObject(binding.toByteString())
        .build();
  }

  /** Assigns pods to nodes, all in one commit; the last is not there. The stream stays open for a second request. */
  private void bind() throws InterruptedException {
    LinkedBlockingQueue<WriteResponse> answers = new LinkedBlockingQueue<>();
    StreamObserver<WriteRequest> requests = bulk.write(new StreamObserver<>() {
      @Override
      public void onNext(WriteResponse answer) {
        answers.add(answer);
      }

      @Override
      public void onError(Throwable cause) {
        cause.printStackTrace();
        System.exit(1);
      }

      @Override
      public void onCompleted() {}
    });
    List<Integer> all = IntStream.range(0, COUNT).boxed().collect(Collectors.toCollection(ArrayList::new));
    all.add(9);
    for (List<Integer> numbers : List.of(all, List.of(0))) {
      requests.onNext(WriteRequest.newBuilder().addAllItems(numbers.stream().map(this::binding).toList()).build());
      List<ItemResult> results = answers.take().getResultsList();
      for (int index = 0; index < results.size(); index++) {
        Status status = results.get(index).getStatus();
        String outcome = results.get(index).hasStatus() ? status.getReason() + " " + status.getCode() : "ok";
        System.out.println("bound: " + name(numbers.get(index)) + " " + outcome);
      }
    }
    requests.onCompleted();
    for (int number = 0; number < COUNT; number++) {
      Pod pod = get(number);
      System.out.println("on: " + pod.getMetadata().getName() + " " + pod.getSpec().getNodeName());
    }
  }

  private void delete(String revision) throws Exception {
    DeleteOptions now = DeleteOptions.newBuilder().setGracePeriodSeconds(0).build();
    for (int number = 0; number < COUNT; number++) {
      pods.delete(DeleteRequest.newBuilder().setNamespace(namespace).setName(name(number)).setOptions(now).build());
    }
    List<String> deleted = new ArrayList<>();
    watch(revision, event -> {
      if (event.getType().equals("DELETED")) {
        deleted.add(event.getObject().getMetadata().getName());
      }
      return deleted.size() == COUNT;
    });
    System.out.println("deleted: " + deleted.stream().sorted().collect(Collectors.joining(" ")));
    told("gone:", () -> get(0));
    System.out.println("left: " + pods.list(ListRequest.newBuilder().setNamespace(namespace).build()).getItemsCount());
  }
}
