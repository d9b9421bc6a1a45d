# frozen_string_literal: true

require 'torii/middleware'

# All made, and used, in the master.
verifier = Torii::Verifier.new(ENV.fetch('TORII_ISSUER'))
verifier.refresh
client = Torii::Client.new(ENV.fetch('TORII_SECRET_KEY'), api_url: ENV.fetch('TORII_API_URL'))
client.allowed_origins.get

use Torii::Middleware, verifier: verifier
run lambda { |env|
  answer = { user: env['torii.auth'].user_id, pid: Process.pid, origins: client.allowed_origins.get }
  [200, { 'content-type' => 'application/json' }, [JSON.generate(answer)]]
}
