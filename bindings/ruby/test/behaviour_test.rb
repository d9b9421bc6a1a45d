# frozen_string_literal: true

require_relative 'test_helper'

# The results that every binding gives: tests/behaviour/verify.json.
class BehaviourTest < Minitest::Test
  CORPUS = JSON.parse(File.read(File.join(ROOT, 'tests/behaviour/verify.json')))
  AUTH = { 'email_verified' => :email_verified?, 'profile_complete' => :profile_complete?,
           'impersonating' => :impersonating? }.freeze
  CORPUS['cases'].each { |example| define_method("test_#{example['name']}") { check(example) } }
  CORPUS['webhooks'].each { |example| define_method("test_#{example['name']}") { check_webhook(example) } }

  Minitest.after_run do
    puts "behaviour: #{CORPUS['cases'].size} cases", "behaviour: #{CORPUS['webhooks'].size} webhooks"
  end

  private

  def check(example)
    status, auth = outcome { verify(example, verifier(example, requirements: requirements(example))) }
    assert_equal example['expect']['status'], status
    example['expect'].fetch('auth', {}).each do |name, expected|
      expected = text(expected) if expected.is_a?(Hash)
      assert expected == member(auth, name), "#{name} differs"
    end
    return unless example['options'].key?('requirements')

    status, = outcome { verify(example, verifier(example), requirements: requirements(example)) }
    assert_equal example['expect']['status'], status, 'requirements of the call'
  end

  def verify(example, verifier, **options)
    header = example['header']
    header ? verifier.authenticate(text(header), **options) : verifier.verify(text(example['token']), **options)
  end

  # @return [Array] the status, and the value of the block if it is TORII_OK
  def outcome
    ['TORII_OK', yield]
  rescue Torii::Error => e
    ["TORII_ERR_#{e.status.upcase}", nil]
  end

  def check_webhook(example)
    status, webhook = outcome { verify_webhook(example) }
    expected = example['expect']
    assert_equal expected['status'], status
    assert_equal [text(example['id']), expected['sent_at']], [webhook.id, webhook.sent_at.to_i] if webhook
  end

  def verify_webhook(example)
    headers = %w[id timestamp signature].to_h { |name| ["webhook-#{name}", text(example[name])] }
    Torii::WebhookVerifier.new(example['secrets'], tolerance: example['tolerance'])
                          .verify([example['body_hex']].pack('H*'), headers.reject { |_, value| value.empty? },
                                  now: Time.at(example['now']))
  end

  def verifier(example, requirements: nil)
    options = example['options']
    Torii::Verifier.new(
      options['issuer'],
      jwks: keys(example['key_set']),
      issuers: options.fetch('issuers', []).to_h { |further| [further['issuer'], keys(further['key_set'])] },
      audiences: options.fetch('audiences', []),
      ignore_audience: options['ignore_audience'],
      leeway: options['leeway'],
      max_lifetime: options['max_lifetime_seconds'],
      legacy_organization: options['legacy_organization'],
      require: options.fetch('require', []).map(&:to_sym),
      requirements: requirements,
      clock: options['now'] && -> { options['now'] }
    )
  end

  def requirements(example)
    description = example['options']['requirements'] or return
    Torii::Requirements.new(
      *Torii::Auth::FLAGS.filter_map { |name, flag| name if description.fetch('flags', 0).anybits?(flag) },
      claims_json: description.fetch('claims', []).to_h { |claim| claim.values_at('pointer', 'json') },
      organizations: description.fetch('organizations', []).map { |each| each.values_at('id', 'role') }
    )
  end

  def keys(name) = text(CORPUS['key_sets'].fetch(name)['jwks'])

  def text(value) = value.is_a?(String) ? value : value['repeat'].map { |piece, times| piece * times }.join

  def member(auth, name)
    value = auth.public_send(AUTH.fetch(name, name))
    value.is_a?(Time) ? value.to_i : value
  end
end
