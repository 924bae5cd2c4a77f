"""A plugin for buf that makes Python's service stubs: grpcio-tools can make them, but brings no plugin for it."""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def generate(request: CodeGeneratorRequest, folder: Path) -> CodeGeneratorResponse:
    """Make the stubs of the files that hold services; `folder` is for this alone."""
    described, made = folder / "descriptors.binpb", folder / "made"
    described.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
    made.mkdir()
    services = [file.name for file in request.proto_file if file.service and file.name in set(request.file_to_generate)]
    if services and protoc.main(["protoc", f"--descriptor_set_in={described}", f"--grpc_python_out={made}", *services]):
        return CodeGeneratorResponse(error="grpcio-tools failed")
    files = [CodeGeneratorResponse.File(name=str(file.relative_to(made)), content=file.read_text()) for file in sorted(made.rglob("*.py"))]
    return CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL, file=files)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        response = generate(CodeGeneratorRequest.FromString(sys.stdin.buffer.read()), Path(temporary))
    sys.stdout.buffer.write(response.SerializeToString())
