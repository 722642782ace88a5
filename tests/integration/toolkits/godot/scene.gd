# Cubes that turn until frame 120, and then stand still.
extends Spatial

var frames = 0

func _ready():
    var camera = Camera.new()
    camera.translation = Vector3(0, 0, 8)
    add_child(camera)
    var light = DirectionalLight.new()
    light.rotation = Vector3(-0.7, 0.4, 0)
    add_child(light)
    for i in range(64):
        var cube = MeshInstance.new()
        cube.mesh = CubeMesh.new()
        var material = SpatialMaterial.new()
        material.albedo_color = Color.from_hsv(i / 64.0, 0.8, 0.9)
        cube.material_override = material
        cube.scale = Vector3(0.3, 0.3, 0.3)
        cube.translation = Vector3(i % 8 - 3.5, i / 8 - 3.5, 0)
        add_child(cube)

func _process(_delta):
    frames += 1
    rotation = Vector3(0, min(frames, 120) * 0.01, 0)
