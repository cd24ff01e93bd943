using Stoker.Streams.Schemas;

namespace Stoker.Streams.Ingest;

/// <summary>
/// The built-in schema <c>gpu.facts.v1</c>: a metadata document with the facts of a GPU. Fields that it does not name may stand there and are kept;
/// those that it names have one type.
/// </summary>
internal static class GpuFacts
{
    public static ReadOnlySpan<byte> Text => """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "urn:stoker:schema:gpu.facts.v1",
          "title": "Metadata of something that was worked on with a GPU, and the facts of the GPU",
          "type": "object",
          "required": ["gpu_hardware"],
          "properties": {
            "metadata_id": {"type": ["string", "null"]},
            "source_uri": {"type": ["string", "null"]},
            "time": {"type": ["string", "null"], "format": "date-time"},
            "extra": {"type": ["object", "null"]},
            "gpu_hardware": {
              "anyOf": [
                {"$ref": "#/$defs/device", "type": "object"},
                {"type": "array", "minItems": 1, "maxItems": 256, "items": {"$ref": "#/$defs/device"}}
              ]
            }
          },
          "$defs": {
            "device": {
              "type": "object",
              "required": ["device_name"],
              "properties": {
                "device_name": {"type": "string", "minLength": 1, "maxLength": 256, "description": "as the driver says it: Tesla T4; cpu where there is none"},
                "device_index": {"type": "integer", "minimum": 0},
                "device_count": {"type": "integer", "minimum": 0},
                "uuid": {"type": ["string", "null"], "maxLength": 128},
                "total_memory": {"$ref": "#/$defs/amount", "description": "bytes"},
                "allocated_memory": {"$ref": "#/$defs/amount", "description": "bytes"},
                "reserved_memory": {"$ref": "#/$defs/amount", "description": "bytes"},
                "total_memory_gb": {"$ref": "#/$defs/amount"},
                "allocated_memory_gb": {"$ref": "#/$defs/amount"},
                "compute_capability": {
                  "description": "7.5, or the pair that PyTorch gives: [7, 5]",
                  "anyOf": [
                    {"type": "string", "pattern": "^\\d{1,3}\\.\\d{1,3}$"},
                    {"type": "array", "prefixItems": [{"$ref": "#/$defs/part"}, {"$ref": "#/$defs/part"}], "items": false, "minItems": 2},
                    {"type": "null"}
                  ]
                },
                "cuda_version": {"$ref": "#/$defs/version"},
                "driver_version": {"$ref": "#/$defs/version"},
                "cudnn_version": {"type": ["string", "integer", "null"]},
                "pytorch_version": {"$ref": "#/$defs/version"},
                "torch_version": {"$ref": "#/$defs/version"},
                "temperature_c": {"type": ["number", "null"], "minimum": -273.15, "maximum": 1000},
                "power_w": {"$ref": "#/$defs/amount"},
                "utilization": {"type": ["number", "null"], "minimum": 0, "maximum": 100}
              }
            },
            "amount": {"type": ["number", "null"], "minimum": 0},
            "part": {"type": "integer", "minimum": 0, "maximum": 999},
            "version": {"type": ["string", "null"], "maxLength": 64}
          }
        }
        """u8;

    public static JsonSchema Schema { get; } = Read();

    private static JsonSchema Read()
    {
        var (schema, problems) = JsonSchema.Read(Text.ToArray());
        return schema ?? throw new InvalidOperationException($"the built-in schema is wrong: {string.Join("; ", problems)}");
    }
}
