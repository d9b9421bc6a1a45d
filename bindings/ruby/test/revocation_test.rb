# frozen_string_literal: true

require_relative 'test_helper'
require 'rack'
require 'tempfile'

# Tokens refused before they expire, and metrics.
class RevocationTest < Minitest::Test
  include EmulatorTest

  BANNED = { revoked: [{ sub: USER, before: 'all' }] }.freeze
  NONE = { revoked: [] }.freeze

  def setup
    super
    @verifier = torii.verifier(leeway: 0)
    @token = token(claims: { sub: USER })
    @other = token(claims: { sub: 'bob' })
    assert_equal [nil, nil, nil], [@token, @token, @other].map { |each| refusal(each) }
  end

  def test_the_next_call_refuses_a_cached_token
    issued_at = @verifier.verify(@token).issued_at
    acting = token(claims: { sub: 'bob', act: { sub: USER } })
    assert_nil @verifier.revoke(USER, before: issued_at - 1)
    assert_nil refusal(@token)
    # A time within a second includes the tokens of this second.
    @verifier.revoke(USER, before: issued_at - 0.001)
    assert_equal :token_revoked, refusal(@token)
    @verifier.revoke(USER, before: 0)
    assert_equal :token_revoked, refusal(@token)
    @verifier.revoke(USER, before: Time.now.to_i)
    assert_equal [:token_revoked, nil], [refusal(acting), refusal(@other)]
  end

  def test_every_token_of_a_user
    assert_nil @verifier.revoke_all('bob')
    assert_equal [nil, :token_revoked], [refusal(@token), refusal(@other)]
  end

  def test_a_list_is_replaced_only_by_itself
    @verifier.revoke_all('bob')
    [BANNED, JSON.generate(BANNED)].each do |list|
      @verifier.revocations = list
      assert_equal :token_revoked, refusal(@token)
      assert_raises(Torii::InvalidArgumentError) { @verifier.revocations = { revoked: [{ sub: USER }] } }
      assert_equal :token_revoked, refusal(@token)
      @verifier.revocations = NONE
      assert_equal [nil, :token_revoked], [refusal(@token), refusal(@other)]
    end
  end

  def test_a_file
    file = Tempfile.new('revocations')
    File.write(file.path, JSON.generate(NONE))
    @verifier = torii.verifier(revocations_file: file.path)
    assert_nil refusal(@token)
    { BANNED => :token_revoked, NONE => nil }.each do |list, expected|
      File.write(file.path, JSON.generate(list))
      Timeout.timeout(120) { sleep 0.01 until refusal(@token) == expected }
    end
    missing = "#{file.path}.missing"
    error = assert_raises(Torii::InvalidConfigError) { torii.verifier(revocations_file: missing) }
    assert_match(/revocations/, error.message)
  end

  def test_wrong_arguments
    [Time.now + (3 * 86_400), 2**63, -(2**64)].each do |before|
      assert_raises(Torii::InvalidArgumentError, before.to_s) { @verifier.revoke(USER, before: before) }
    end
    assert_raises(FloatDomainError) { @verifier.revoke(USER, before: Float::NAN) }
    assert_match(/user_id/, assert_raises(Torii::InvalidArgumentError) { @verifier.revoke_all('') }.message)
    [-> { @verifier.revoke_all(1) }, -> { @verifier.revoke(USER, before: nil) },
     -> { @verifier.revoke(USER, before: '1') }].each { |use| assert_raises(TypeError, &use) }
    @verifier.close
    [-> { @verifier.revoke_all(USER) }, -> { @verifier.revocations = NONE }, -> { @verifier.metrics }].each do |use|
      assert_raises(Torii::ClosedError, &use)
    end
  end

  def test_metrics
    refusal('x')
    text = @verifier.metrics
    { 'TORII_OK' => 3, 'TORII_ERR_TOKEN_MALFORMED' => 1 }.each do |status, count|
      assert_includes text, "\ntorii_tokens_total{status=\"#{status}\"} #{count}\n"
    end
    assert_operator text, :end_with?, "# EOF\n"
    refute_includes text, issuer
    assert_match(%r{\Aapplication/openmetrics-text; version=1\.0\.0}, Torii::Verifier::METRICS_TYPE)
  end

  def test_the_readme
    snippet = File.read("#{__dir__}/../README.md")[/^## Metrics\n\n```ruby\n(.*?)```/m, 1]
    Object.const_set(:VERIFIER, @verifier)
    app = Rack::Builder.new_from_string(snippet)
    status, headers, body = app.call(Rack::MockRequest.env_for('/metrics'))
    assert_equal [200, { 'content-type' => Torii::Verifier::METRICS_TYPE }], [status, headers]
    assert_equal @verifier.metrics, body.join
  ensure
    Object.send(:remove_const, :VERIFIER)
  end

  # More than the first buffer holds.
  def test_metrics_of_many_issuers
    others = Array.new(60) { |number| "http://127.0.0.1:1/#{'x' * 100}#{number}" }
    @verifier = torii.verifier(issuers: others, metrics_issuer_label: true, fixed_base: true)
    assert_nil refusal(@token)
    text = @verifier.metrics
    assert_equal 61, [issuer, *others].count { |name| text.include?(name) }
    assert_operator text, :end_with?, "# EOF\n"
  end

  private

  def refusal(token)
    @verifier.verify(token)
    nil
  rescue Torii::TokenError => e
    e.status
  end
end
