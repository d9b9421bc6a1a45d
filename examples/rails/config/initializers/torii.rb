# frozen_string_literal: true

require 'torii'

# Created before puma forks its workers (preload_app!), which share the keys fetched here.
TORII = Torii::Verifier.new(ENV.fetch('TORII_ISSUER'))
TORII_ADMIN = Torii::Requirements.new(organizations: { '0190d3c1-6a3e-7f4f-9c1b-8f1d2a3b4c5d' => 'admin' })
