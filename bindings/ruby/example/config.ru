# frozen_string_literal: true

# A guarded application: TORII_ISSUER=https://acme.torii.so rackup
require 'torii/middleware'

use Torii::Middleware, issuer: ENV.fetch('TORII_ISSUER'), cookie: 'app_token'

run lambda { |env|
  auth = env['torii.auth']
  [200, { 'content-type' => 'application/json' }, [JSON.generate(user_id: auth.user_id)]]
}
