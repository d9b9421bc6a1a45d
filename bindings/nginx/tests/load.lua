-- Asks with the tokens of a file, good ones and bad ones, and counts the answers that are wrong.
-- Each line of the file is the status that has to come back, and a token. It may be replaced any time.

local file, tokens, n

local function read()
    local found = {}
    for line in io.lines(file) do
        local status, token = line:match("^(%d+) (.*)$")
        found[#found + 1] = wrk.format("GET", nil, {
            Authorization = "Bearer " .. token, ["X-Expect"] = status, Host = "edge" })
    end
    tokens = found
end

local threads = {}

function setup(thread)
    threads[#threads + 1] = thread
end

function init(arguments)
    file, n = arguments[1], 0
    right, wrong, first = {}, 0, ""
    read()
end

function request()
    n = n + 1
    if n % 500 == 0 then
        read()
    end
    return tokens[n % #tokens + 1]
end

function response(status, headers, body)
    if headers["X-Expect"] == tostring(status) then
        right[status] = (right[status] or 0) + 1
        good, bad = right[200] or 0, right[401] or 0
    else
        wrong = wrong + 1
        first = first == "" and (tostring(headers["X-Expect"]) .. " but " .. status .. " " .. body) or first
    end
end

function done(summary)
    local total = { good = 0, bad = 0, wrong = 0 }
    local example = ""
    for _, thread in ipairs(threads) do
        for name in pairs(total) do
            total[name] = total[name] + (thread:get(name) or 0)
        end
        example = example == "" and thread:get("first") or example
    end
    print(string.format('{"good":%d,"bad":%d,"wrong":%d,"timeouts":%d,"seconds":%.3f}', total.good, total.bad,
        total.wrong, summary.errors.timeout, summary.duration / 1e6))
    io.stderr:write(example, "\n")
end
