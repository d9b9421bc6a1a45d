-- Asks with the tokens of a file, one after the other; each thread begins elsewhere.

local requests, n

local count = 0

function setup(thread)
    thread:set("offset", count)
    count = count + 1
end

function init(arguments)
    requests, n = {}, offset * 997
    for token in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("GET", nil, { Authorization = "Bearer " .. token })
    end
end

function request()
    n = n + 1
    return requests[n % #requests + 1]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format("%d %d %.3f %d", summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(99) / 1000,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
