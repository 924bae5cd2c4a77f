"""What objects count for in a ResourceQuota, and whether a quota has room for one more.

    usage     by resource, what one object uses (a pod's requests, a claim's storage, a Service's ports, each object as one) and which
              names in a quota speak of it
    scopes    which objects a quota is about
    charge    whether quotas allow an object, and what they then state as used; the sum over many objects

Used by admission, which charges as objects come, and by the resourcequota controller, which counts again. Pure: dicts in JSON form in,
values out. Amounts are maps of resource name to Quantity.

Source: Kubernetes `pkg/quota/v1`, `apiserver/pkg/admission/plugin/resourcequota`.
"""
