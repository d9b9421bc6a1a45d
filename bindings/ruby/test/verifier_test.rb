# frozen_string_literal: true

require_relative 'test_helper'
require 'open3'
require 'tmpdir'

# Against the local torii.
class VerifierTest < Minitest::Test
  include EmulatorTest

  def setup
    super
    @verifier = Torii::Verifier.new(issuer)
  end

  def test_verify_fetches_the_keys_once
    auth = @verifier.verify(token(claims: { sub: USER, email_verified: true, locale: 'de' }))
    assert_equal [USER, torii.id, issuer, 'de'],
                 [auth.user_id, auth.environment_id, auth.issuer, auth.locale]
    assert_predicate auth, :email_verified?
    assert_predicate auth, :profile_complete?
    refute_predicate auth, :impersonating?
    assert_equal 300, auth.expires_at - auth.issued_at
    assert_equal USER, auth['sub']
    @verifier.verify(token)
    assert_equal 1, requests('/acme/').size
  end

  def test_authenticate
    assert_equal USER, @verifier.authenticate("bearer #{token(claims: { sub: USER })}").user_id
    [nil, '', 'Basic abc'].zip(%i[token_missing token_missing token_scheme]) do |header, status|
      assert_equal status, assert_raises(Torii::TokenError) { @verifier.authenticate(header) }.status
    end
  end

  def test_rotation
    @verifier.verify(token)
    torii.control('POST', '/issuers/acme/keys')
    assert_instance_of Torii::Auth, @verifier.verify(token)
  end

  def test_errors_by_class
    error = assert_raises(Torii::TokenError) { @verifier.verify(token(expires_in: -60)) }
    assert_equal [:token_expired, 401, nil], [error.status, error.answer_status, error.http_status]
    strict = Torii::Verifier.new(issuer, require: %i[email_verified not_impersonated])
    error = assert_raises(Torii::PolicyError) { strict.verify(token(claims: { email_verified: false })) }
    assert_equal [:policy, 403], [error.status, error.answer_status]
  end

  def test_keys_down
    fault('/acme/', kind: 'status', status: 503)
    error = assert_raises(Torii::KeysUnavailableError) { @verifier.verify(token) }
    assert_equal [:keys_unavailable, 503], [error.status, error.answer_status]
    assert_raises(Torii::KeysUnavailableError) { @verifier.refresh }
  end

  def test_refresh_and_stats
    assert_nil @verifier.refresh
    @verifier.verify(token)
    stats = @verifier.stats
    assert_equal [1, 1, 1], [stats['accepted'], stats['cached_tokens'], stats['issuers'][0]['keys']]
    assert_equal 1, requests('/acme/').size
  end

  def test_fields_of_a_result
    actor = token(claims: { sub: USER, act: { sub: 'support' }, o: { id: 'org-1', rol: 'admin' } })
    auth = @verifier.verify(actor)
    assert_equal ['support', 'org-1', 'admin', nil],
                 [auth.actor_id, auth.organization_id, auth.organization_role, auth.locale]
    assert_predicate auth, :impersonating?
    assert auth.meets?(:organization, :profile_complete)
    refute auth.meets?(:organization, :not_impersonated)
    assert_raises(KeyError) { auth.meets?(:anything) }
    @verifier.close
    assert_equal 'org-1', auth.organization_id
  end

  def test_a_result_made_by_a_test
    auth = Torii::Auth.new(user_id: "\u00e9", environment_id: '', issuer: 'https://a.example', actor_id: 'x',
                           email_verified: true, issued_at: Time.at(1), expires_at: 2, claims_json: '{"a":1}')
    assert_equal ["\u00e9", '', 'https://a.example', 'x', nil, nil, 1, 2, 1],
                 [auth.user_id, auth.environment_id, auth.issuer, auth.actor_id, auth.locale, auth.organization_id,
                  auth.issued_at.to_i, auth.expires_at.to_i, auth['a']]
    assert_equal [true, true, true, false],
                 [auth.email_verified?, auth.profile_complete?, auth.impersonating?, auth.meets?(:organization)]
  end

  # Spans that point out of the record, as no library writes them.
  def test_a_broken_record
    record = Torii::Auth.new(user_id: 'ada', environment_id: 'e', issuer: 'i').instance_variable_get(:@record)
    { 32 => [95, 1], 40 => [96, record.bytesize - 96], 48 => [(1 << 32) - 1, (1 << 32) - 1] }.each do |at, span|
      broken = record.dup
      broken[at, 8] = span.pack('L2')
      auth = Torii::Auth.read(FFI::MemoryPointer.from_string(broken))
      assert_raises(Torii::InternalError) { [auth.user_id, auth.environment_id, auth.issuer] }
    end
  end

  # A record that needs more than the first buffer, then a small one in the same buffer.
  def test_a_large_token
    large = token(claims: { sub: USER, note: 'x' * 9000 })
    2.times { assert_equal 9000, @verifier.verify(large)['note'].size }
    assert_equal 'second', @verifier.verify(token(claims: { sub: 'second' })).user_id
    assert_equal({ 'accepted' => 3, 'hits' => 2 }, @verifier.stats.slice('accepted', 'hits'))
  end

  def test_requirements_of_a_call
    admin = Torii::Requirements.new(:organization, claims: { '/plan' => 'pro', '/level' => 3, '/beta' => true },
                                                   organizations: { 'org-1' => 'admin', 'org-2' => nil })
    claims = { sub: USER, plan: %w[free pro], level: 3, beta: true, o: { id: 'org-1', rol: 'admin' } }
    valid = token(claims: claims)
    assert_equal USER, @verifier.verify(valid, requirements: admin).user_id
    assert_equal USER, @verifier.authenticate("Bearer #{valid}", requirements: admin).user_id
    [{ plan: 'free' }, { level: 4 }, { beta: 'true' }, { o: { id: 'org-1', rol: 'member' } },
     { o: { id: 'org-3', rol: 'admin' } }].each do |change|
      other = token(claims: claims.merge(change))
      error = assert_raises(Torii::PolicyError, change.to_s) { @verifier.verify(other, requirements: admin) }
      assert_equal 'Bearer realm="torii", error="insufficient_scope"', error.www_authenticate
      assert_equal USER, @verifier.verify(other).user_id
    end
    assert_equal 1, requests('/acme/').size
  end

  def test_requirements_of_a_verifier
    both = Torii::Requirements.new(:not_impersonated, claims: [['/plan', 'pro'], ['/plan', 'beta']])
    verifier = Torii::Verifier.new(issuer, require: [:email_verified], requirements: both)
    valid = { sub: USER, plan: %w[beta pro], email_verified: true }
    assert_equal USER, verifier.verify(token(claims: valid)).user_id
    [{ plan: 'pro' }, { email_verified: false }, { act: { sub: 'support' } }].each do |change|
      assert_raises(Torii::PolicyError, change.to_s) { verifier.verify(token(claims: valid.merge(change))) }
    end
  end

  def test_wrong_requirements_are_named
    assert_match(/:anything \(expected one of :email_verified/,
                 assert_raises(ArgumentError) { Torii::Requirements.new(:anything) }.message)
    { { claims: { 'plan' => 'pro' } } => /pointer/, { claims: { '' => 'pro' } } => /pointer/,
      { claims: { '/plan' => nil } } => /json/, { claims: { '/plan' => Float::NAN } } => /not JSON/,
      { claims: { '/plan' => { a: 1 } } } => /json/, { claims_json: { '/plan' => '' } } => /json/,
      { organizations: [''] } => /id/ }.each do |wrong, message|
      assert_match(message, refused(Torii::InvalidArgumentError, wrong).message)
    end
    [{ claims: { plan: 'pro' } }, { organizations: [1] }, { organizations: { 'org-1' => :admin } },
     { claims_json: { '/plan' => 1 } }].each { |wrong| refused(TypeError, wrong) }
  end

  def test_public_errors
    verifier = Torii::Verifier.new(issuer, realm: 'shop', resource_metadata: 'https://shop.example/meta')
    error = assert_raises(Torii::TokenError) { verifier.verify(token(expires_in: -60)) }
    assert_equal ['authentication_failed', 'Bearer realm="shop", error="invalid_token", ' \
                                           'resource_metadata="https://shop.example/meta"', nil],
                 [error.public_code, error.www_authenticate, error.issuer]
    refute_equal error.message, error.public_message
    refute_predicate error, :unsent?
    Torii.clear_keys
    fault('/acme/', kind: 'status', status: 503)
    error = assert_raises(Torii::KeysUnavailableError) { verifier.verify(token) }
    assert_equal ['keys_unavailable', nil, issuer], [error.public_code, error.www_authenticate, error.issuer]
    assert_operator error.retry_after, :>=, 1
    unreachable = Torii::Client.new(torii.secret_key, api_url: 'http://127.0.0.1:1', max_retries: 0)
    assert_predicate assert_raises(Torii::TransportError) { unreachable.users.get(USER) }, :unsent?
  end

  def test_audience_and_lifetime
    shop = token(claims: { sub: USER, aud: 'shop' })
    assert_equal :token_audience, assert_raises(Torii::TokenError) { @verifier.verify(shop) }.status
    assert_equal USER, Torii::Verifier.new(issuer, ignore_audience: true).verify(shop).user_id
    assert_equal USER, Torii::Verifier.new(issuer, audiences: ['shop']).verify(shop).user_id
    short = Torii::Verifier.new(issuer, max_lifetime: 60)
    assert_equal :token_lifetime, assert_raises(Torii::TokenError) { short.verify(token) }.status
    older = token(claims: { org_id: 'org-1', org_role: 'admin' })
    assert_nil @verifier.verify(older).organization_id
    assert_equal 'org-1', Torii::Verifier.new(issuer, legacy_organization: true).verify(older).organization_id
  end

  def test_proxy
    proxy = TCPServer.new('127.0.0.1', 0)
    line = Thread.new do
      client = proxy.accept
      client.gets.tap { client.close }
    end
    proxied = Torii::Verifier.new('http://torii.invalid', allow_http: true, proxy: "http://127.0.0.1:#{proxy.addr[1]}")
    assert_raises(Torii::KeysUnavailableError) { proxied.refresh }
    assert_match(/torii\.invalid/, line.value)
  ensure
    proxy.close
  end

  def test_no_thread_without_background_refresh
    library_threads = lambda do
      Dir.children('/proc/self/task').count { |id| File.read("/proc/self/task/#{id}/comm").start_with?('torii') }
    end
    fault('/acme/', times: 1, kind: 'delay', ms: 500)
    valid = token
    verifier = Torii::Verifier.new(issuer, background_refresh: false)
    waiting = Thread.new { verifier.verify(valid) }
    torii.control('GET', '/requests?path=/acme/&at_least=1&timeout_ms=120000')
    assert_equal 0, library_threads.call
    assert_instance_of Torii::Auth, waiting.value
  end

  # The clock runs during a call, so that both calls are in the library at once.
  def test_a_call_within_a_call
    inner = nil
    second = token(claims: { sub: 'second' })
    verifier = Torii::Verifier.new(issuer, clock: lambda {
      inner ||= @verifier.verify(second) if inner != :off
      Time.now
    })
    assert_equal [USER, 'second'], [verifier.verify(token(claims: { sub: USER })).user_id, inner.user_id]
    depth = 0
    nested = Torii::Verifier.new(issuer, clock: lambda {
      depth += 1
      inner = nested.verify(second) if depth == 1
      Time.now
    })
    assert_equal [USER, 'second'], [nested.verify(token(claims: { sub: USER })).user_id, inner.user_id]
  end

  def test_fibers
    tokens = %w[one two three].map { |user| token(claims: { sub: user }) }
    fibers = tokens.map do |each|
      Fiber.new do
        first = @verifier.verify(each)
        Fiber.yield
        [first.user_id, @verifier.verify(each).user_id]
      end
    end
    fibers.each(&:resume)
    assert_equal %w[one two three].map { |user| [user, user] }, fibers.map(&:resume)
  end

  def test_further_issuers
    other = torii.control('POST', '/issuers', { name: 'other' })
    both = Torii::Verifier.new(issuer, issuers: [other['issuer']])
    foreign = torii.control('POST', '/issuers/other/tokens')['token']
    assert_equal other['issuer'], both.verify(foreign).issuer
    assert_equal :token_issuer, assert_raises(Torii::TokenError) { @verifier.verify(foreign) }.status
  end

  def test_clock
    late = Torii::Verifier.new(issuer, clock: -> { Time.now + 3600 })
    assert_equal :token_expired, assert_raises(Torii::TokenError) { late.verify(token) }.status
    broken = Torii::Verifier.new(issuer, clock: -> { raise IOError, 'no clock' })
    2.times { assert_raises(IOError) { broken.verify(token) } }
  end

  def test_wrong_options_are_named
    { leeway: [301, /seconds/], key_lifetime: [0, /seconds/], max_stale: [-1, /seconds/],
      fetch_timeout: [0.01, /milliseconds/], token_cache_bytes: [-1, /negative/], proxy: ['nowhere', /proxy/],
      realm: ['"', /realm/], resource_metadata: ['"', /resource_metadata/],
      ca_file: ['/no/such/file', /file/], jwks: ['{}', /jwks/], audiences: [[''], /audience/],
      issuers: [['nowhere'], /issuer/], key_cache_dir: ['', /key cache directory/],
      revocations_file: ['', /revocations file/] }.each do |name, (value, message)|
      error = assert_raises(Torii::InvalidArgumentError, name) { Torii::Verifier.new(issuer, name => value) }
      assert_match message, error.message
    end
    assert_raises(ArgumentError) { Torii::Verifier.new(issuer, require: [:anything]) }
    assert_raises(Torii::InvalidConfigError) { Torii::Verifier.new(issuer, audiences: ['a'], ignore_audience: true) }
    assert_raises(TypeError) { Torii::Verifier.new(1) }
    assert_raises(TypeError) { Torii::Verifier.new(issuer, audiences: [nil]) }
    assert_raises(TypeError) { Torii::Verifier.new(issuer, issuers: [nil]) }
    assert_raises(TypeError) { Torii::Verifier.new(issuer, leeway: 'long') }
  end

  def test_use_after_close
    @verifier.close
    @verifier.close
    assert_predicate @verifier, :closed?
    [-> { @verifier.verify('x') }, -> { @verifier.authenticate('x') }, -> { @verifier.refresh },
     -> { @verifier.stats }].each do |use|
      assert_match(/Verifier is closed/, assert_raises(Torii::ClosedError, &use).message)
    end
  end

  def test_the_next_process_has_the_cached_keys
    Dir.mktmpdir do |dir|
      first = torii.verifier(key_cache_dir: dir)
      first.verify(valid = token(claims: { sub: USER }))
      Timeout.timeout(120) do
        sleep 0.01 until first.stats.dig('issuers', 0, 'key_cache_dir', 'written').positive?
      end
      torii.fail_keys
      start = lambda do |*options|
        program = 'puts Torii::Verifier.new(ARGV[0], key_cache_dir: ARGV[2]).verify(ARGV[1]).user_id'
        Open3.capture2e(RbConfig.ruby, '-Ilib', '-rtorii', '-e', program, issuer, valid, *options).first
      end
      assert_match(/KeysUnavailable/, start.call)
      assert_equal "#{USER}\n", start.call(dir)
    end
  end

  def test_close_under_a_call
    fault('/acme/', times: 1, kind: 'delay', ms: 300)
    valid = token
    call = Thread.new { @verifier.verify(valid) }
    torii.control('GET', '/requests?path=/acme/&at_least=1&timeout_ms=120000')
    @verifier.close
    assert_instance_of Torii::Auth, call.value
    assert_raises(Torii::ClosedError) { @verifier.verify(valid) }
  end

  private

  def refused(error, requirements)
    assert_raises(error, requirements.to_s) { Torii::Requirements.new(**requirements) }
  end
end
