package walk;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.reflect.TypeToken;
import io.kubernetes.client.custom.V1Patch;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1ConfigMapList;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.util.Config;
import io.kubernetes.client.util.PatchUtils;
import io.kubernetes.client.util.Watch;
import io.kubernetes.client.util.credentials.AccessTokenAuthentication;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The walk over REST with io.kubernetes:client-java: KUBECONFIG=... java walk.Walk NAMESPACE. */
public final class Walk {
  private static final int COUNT = 3;
  private static final String SELECTOR = "app=walk";

  private final ApiClient client;
  private final CoreV1Api api;
  private final String namespace;

  private Walk(ApiClient client, String namespace) {
    this.client = client;
    this.api = new CoreV1Api(client);
    this.namespace = namespace;
  }

  public static void main(String[] arguments) throws Exception {
    ApiClient stranger = Config.defaultClient();
    new AccessTokenAuthentication("nobody").provide(stranger);
    told("stranger:", () -> new Walk(stranger, arguments[0]).list().execute());
    ApiClient client = Config.defaultClient();
    Walk walk = new Walk(client, arguments[0]);
    walk.create();
    String revision = walk.pages();
    walk.follow(revision);
    walk.conflict(revision);
    walk.apply();
    walk.delete();
    for (ApiClient each : List.of(stranger, client)) {
      each.getHttpClient().dispatcher().executorService().shutdown();
      each.getHttpClient().connectionPool().evictAll();
    }
  }

  /** A call that may be refused. */
  private interface Call {
    void run() throws ApiException;
  }

  /** Prints how a call is refused. */
  private static void told(String what, Call call) {
    try {
      call.run();
    } catch (ApiException refused) {
      JsonObject status = JsonParser.parseString(refused.getResponseBody()).getAsJsonObject();
      String message = refused.getCode() == 401 ? "" : " " + status.get("message").getAsString();
      System.out.println(what + " " + refused.getCode() + " " + status.get("reason").getAsString() + message);
      return;
    }
    throw new AssertionError(what + " the call was not refused");
  }

  private static String name(int number) {
    return "walk-" + number;
  }

  private static V1ConfigMap map(String name) {
    V1ObjectMeta metadata = new V1ObjectMeta().name(name).labels(Map.of("app", "walk"));
    return new V1ConfigMap().metadata(metadata).data(Map.of("colour", "red"));
  }

  private static String colour(V1ConfigMap map) {
    return map.getData().get("colour");
  }

  private CoreV1Api.APIlistNamespacedConfigMapRequest list() {
    return api.listNamespacedConfigMap(namespace).labelSelector(SELECTOR);
  }

  private V1ConfigMap read(int number) throws ApiException {
    return api.readNamespacedConfigMap(name(number), namespace).execute();
  }

  private void create() throws ApiException {
    for (int number = 0; number < COUNT; number++) {
      V1ConfigMap made = api.createNamespacedConfigMap(namespace, map(name(number))).execute();
      System.out.println("created: " + made.getMetadata().getName() + " " + colour(made));
    }
    told("again:", () -> api.createNamespacedConfigMap(namespace, map(name(0))).execute());
    told("invalid:", () -> api.createNamespacedConfigMap(namespace, map("Walk")).execute());
  }

  /** Lists two at a time; returns the revision that all pages show. */
  private String pages() throws ApiException {
    String token = null;
    while (true) {
      V1ConfigMapList page = list().limit(2)._continue(token).execute();
      System.out.println("page: " + page.getItems().stream().map(map -> map.getMetadata().getName()).collect(Collectors.joining(" ")));
      token = page.getMetadata().getContinue();
      if (token == null || token.isEmpty()) {
        return page.getMetadata().getResourceVersion();
      }
    }
  }

  /** Shows each change after a revision to a visitor, until it has seen enough. */
  private void watch(String revision, Predicate<Watch.Response<V1ConfigMap>> isEnough) throws Exception {
    okhttp3.Call call = list().resourceVersion(revision).watch(true).timeoutSeconds(30).buildCall(null);
    try (Watch<V1ConfigMap> stream = Watch.createWatch(client, call, new TypeToken<Watch.Response<V1ConfigMap>>() {}.getType())) {
      for (Watch.Response<V1ConfigMap> event : stream) {
        if (isEnough.test(event)) {
          return;
        }
      }
    }
    throw new AssertionError("the watch ended");
  }

  /** Patches with a request in a format. */
  private V1ConfigMap patched(String format, CoreV1Api.APIpatchNamespacedConfigMapRequest request) throws ApiException {
    return PatchUtils.patch(V1ConfigMap.class, () -> request.buildCall(null), format, client);
  }

  private CoreV1Api.APIpatchNamespacedConfigMapRequest patch(int number, String body) {
    return api.patchNamespacedConfigMap(name(number), namespace, new V1Patch(body));
  }

  private void paint(int number, String colour) throws ApiException {
    String body = "{\"data\": {\"colour\": \"" + colour + "\"}}";
    V1ConfigMap done = patched(V1Patch.PATCH_FORMAT_STRATEGIC_MERGE_PATCH, patch(number, body));
    System.out.println("patched: " + done.getMetadata().getName() + " " + colour(done));
  }

  /** Prints the first change after a revision; returns its own. */
  private String next(String what, String revision) throws Exception {
    String[] reached = new String[1];
    watch(revision, event -> {
      System.out.println(String.join(" ", what, event.type, event.object.getMetadata().getName(), colour(event.object)));
      reached[0] = event.object.getMetadata().getResourceVersion();
      return true;
    });
    return reached[0];
  }

  /** Watches, lets go, and goes on there. */
  private void follow(String start) throws Exception {
    paint(0, "green");
    String revision = next("watched:", start);
    paint(1, "blue");
    paint(2, "blue");
    revision = next("resumed:", revision);
    next("resumed:", revision);
  }

  private void conflict(String revision) throws ApiException {
    V1ConfigMap stale = read(0);
    stale.getMetadata().setResourceVersion(revision);
    told("conflict:", () -> api.replaceNamespacedConfigMap(name(0), namespace, stale).execute());
  }

  private V1ConfigMap applied(String colour, String manager, boolean force) throws ApiException {
    String body = "{apiVersion: v1, kind: ConfigMap, metadata: {name: walk-0}, data: {colour: " + colour + "}}";
    return patched(V1Patch.PATCH_FORMAT_APPLY_YAML, patch(0, body).fieldManager(manager).force(force));
  }

  private void apply() throws ApiException {
    System.out.println("applied: walk-0 " + colour(applied("yellow", "walk", true)));
    told("contested:", () -> applied("black", "other", false));
    System.out.println("forced: walk-0 " + colour(applied("black", "other", true)));
  }

  private void delete() throws Exception {
    String revision = list().execute().getMetadata().getResourceVersion();
    for (int number = 0; number < COUNT; number++) {
      api.deleteNamespacedConfigMap(name(number), namespace).execute();
    }
    List<String> deleted = new ArrayList<>();
    watch(revision, event -> {
      if (event.type.equals("DELETED")) {
        deleted.add(event.object.getMetadata().getName());
      }
      return deleted.size() == COUNT;
    });
    System.out.println("deleted: " + deleted.stream().sorted().collect(Collectors.joining(" ")));
    told("gone:", () -> read(0));
    System.out.println("left: " + list().execute().getItems().size());
  }
}
