function love.conf(t)
    t.window.width, t.window.height = 400, 300
    t.modules.audio, t.modules.sound = false, false
end
