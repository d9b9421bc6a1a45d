# frozen_string_literal: true

# The time of one verification, next to ruby-jwt (Debian: ruby-jwt).
# TORII_LIBRARY=…/libtorii.so.0 ruby -Ilib bench.rb
require 'torii'
require 'jwt'

CORPUS = JSON.parse(File.read(File.join(__dir__, '../../tests/behaviour/verify.json')))
EXAMPLE = CORPUS['cases'].find { |each| each['name'] == 'good-minimal' }
TOKEN = EXAMPLE['token']
ISSUER = EXAMPLE['options']['issuer']
KEYS = CORPUS['key_sets'][EXAMPLE['key_set']]['jwks']

def torii(**options)
  verifier = Torii::Verifier.new(ISSUER, jwks: KEYS, **options)
  -> { verifier.verify(TOKEN).user_id }
end

def ruby_jwt
  jwks = JSON.parse(KEYS, symbolize_names: true)
  options = { algorithms: ['ES256'], jwks: jwks, iss: ISSUER, verify_iss: true, required_claims: %w[sub pid iat exp] }
  -> { JWT.decode(TOKEN, nil, true, options).first['sub'] }
end

# The best of several rounds, in microseconds of CPU time for one.
def measure(times, verify)
  Array.new(5) do
    start = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
    times.times { verify.call }
    (Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - start) / times * 1e6
  end.min
end

rows = {
  'torii, a known token' => measure(50_000, torii),
  'torii, every token new' => measure(500, torii(token_cache_bytes: 0)),
  "ruby-jwt #{Gem.loaded_specs['jwt'].version}" => measure(500, ruby_jwt)
}
rows.each do |name, time|
  puts format('%<name>-26s %<time>9.2f µs  %<ratio>7.1f× as fast as ruby-jwt',
              name: name, time: time, ratio: rows.values.last / time)
end
