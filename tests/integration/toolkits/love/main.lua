-- What LÖVE draws with: a canvas, a shader, a mesh, batches, blending, stencil, scissor and text.
local canvas, shader, mesh, batch, image

function love.load()
    canvas = love.graphics.newCanvas(128, 128)
    shader = love.graphics.newShader([[
        vec4 effect(vec4 colour, Image texture, vec2 at, vec2 screen) {
            return Texel(texture, at + 0.02 * vec2(sin(at.y * 20.0), cos(at.x * 20.0))) * colour;
        }]])
    local data = love.image.newImageData(64, 64)
    data:mapPixel(function(x, y)
        return x / 64, y / 64, ((x * y) % 16) / 16, 1
    end)
    image = love.graphics.newImage(data)
    image:setWrap("repeat", "mirroredrepeat")
    batch = love.graphics.newSpriteBatch(image, 100)
    for i = 0, 20 do
        batch:add(i * 15, 200 + 10 * math.sin(i), i * 0.2, 0.4)
    end
    local corners = { { 0, 0, 0, 0, 1, 0, 0 }, { 90, 0, 1, 0, 0, 1, 0 }, { 45, 80, 0.5, 1, 0, 0, 1 } }
    mesh = love.graphics.newMesh(corners, "fan")
    mesh:setTexture(image)
end

function love.draw()
    local g = love.graphics
    g.setCanvas(canvas)
    g.clear(0.2, 0.1, 0.3, 1)
    g.circle("fill", 64, 64, 50)
    g.setCanvas()
    g.clear(0.1, 0.3, 0.2)
    g.setShader(shader)
    g.draw(canvas, 10, 10)
    g.setShader()
    g.draw(mesh, 160, 20, 0.3)
    g.draw(batch)
    g.setBlendMode("add")
    g.draw(image, 260, 40, 0.5, 2, 2)
    g.setBlendMode("alpha")
    g.stencil(function()
        g.circle("fill", 330, 220, 40)
    end, "replace", 1)
    g.setStencilTest("greater", 0)
    g.draw(image, 280, 170, 0, 2, 2)
    g.setStencilTest()
    g.print("Stock programs 0123", 10, 150)
    g.setScissor(0, 260, 400, 20)
    g.ellipse("fill", 200, 270, 150, 30)
    g.setScissor()
end
