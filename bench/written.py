"""The signals as an expert would write them by hand for this one ecosystem: each statement reads only its window.

Written from the questions of the catalogue, not from what the compiler gives. It knows what the product cannot assume:
that every activity names its partner and that no condition can be unknown. Of deals and
credentials it reads the tables of the day, since versions must be folded for anyone.
"""

_WON = "stage_class = 'won' and (sourced or resold)"
_CLOSED = "stage_class in ('won', 'lost') and (sourced or resold)"
_YEAR, _TWO_YEARS, _HALF = (f"date '2026-10-31' - interval {months} month" for months in (12, 24, 6))
_EVENTS = "from activity where known_at < timestamptz '2026-11-01 00:00:00+00' and occurred_on <= date '2026-10-31'"


STATEMENTS = (
    f"""select partner_id, date '2026-10-31' - max(occurred_on) as days_since_last_activity,
        date '2026-10-31' - max(case when type = 'email_replied' then occurred_on end) as days_since_last_reply
      {_EVENTS} and type <> 'email_sent' group by partner_id""",
    f"""select partner_id, count(*) filter (type = 'training_completed') as courses_completed,
        count(*) filter (type = 'campaign_response') as campaign_responses
      {_EVENTS} and type in ('training_completed', 'campaign_response') and occurred_on > date '2025-10-31'
      group by partner_id""",
    f"""select partner_id, count(*) as meetings_last_quarter
      {_EVENTS} and type in ('meeting', 'call') and occurred_on > date '2026-10-31' - 91 group by partner_id""",
    f"""select partner_id, count(distinct date_trunc('week', occurred_on)) as weeks_with_sign_in
      {_EVENTS} and type = 'portal_login' and occurred_on > date '2026-10-31' - 91 group by partner_id""",
    f"""select partner_id, count(distinct person_id) as people_active
      {_EVENTS} and type <> 'email_sent' and occurred_on > date '2026-10-31' - 90 group by partner_id""",
    """select partner_id, count(*) filter (expires_on - date '2026-10-31' <= 90) as certificates_ending_soon,
        count(distinct person_id) filter (kind <> 'course') as people_certified,
        count(*) filter (lower(level) in ('professional', 'expert', 'advanced')) as professional_certificates
      from credentials_of_partners where live group by partner_id""",
    f"""select partner_id, count(distinct account_id) as accounts_in_play,
        100e0 * count(distinct group_key) filter (type = 'new') / count(distinct group_key) as new_business_share
      from deals_of_partners where stage_class <> 'lost' and (sourced or resold) and occurred_on > {_YEAR}
      group by partner_id""",
    f"""select partner_id, count(distinct group_key) as deals_created
      from deals_of_partners where (sourced or resold) and occurred_on > {_HALF} group by partner_id""",
    f"""select partner_id, count(distinct account_country) as customer_countries, median(amount_home) as median_won_deal
      from deals_of_partners where {_WON} and closed_on > {_TWO_YEARS} group by partner_id""",
    f"""select partner_id, count(distinct product) as products_sold, count(distinct group_key) as won_deals,
        sum(amount_home) as won_revenue
      from deals_of_partners where {_WON} and closed_on > {_YEAR} group by partner_id""",
    f"""select partner_id, 100e0 * count(distinct group_key) filter (stage_class = 'won') / count(distinct group_key) as win_rate
      from deals_of_partners where {_CLOSED} and closed_on > {_YEAR} group by partner_id""",
    f"""select partner_id, 100e0 * (sum(case when closed_on > {_YEAR} then amount_home else 0 end)
          / nullif(sum(case when closed_on <= {_YEAR} then amount_home else 0 end), 0) - 1) as won_revenue_growth
      from deals_of_partners where {_WON} and closed_on > {_TWO_YEARS} group by partner_id""",
    f"""select partner_id, date '2026-10-31' - max(closed_on) as days_since_last_won_deal
      from deals_of_partners where {_WON} and closed_on <= date '2026-10-31' group by partner_id""",
    """select partner_id, count(distinct group_key) as open_deals, sum(amount_home) as open_pipeline,
        count(distinct group_key) filter (close_on < date '2026-10-31') as overdue_open_deals
      from deals_of_partners where stage_class = 'open' and (sourced or resold) group by partner_id""",
)  # fmt: skip
"""Each gives a row a partner; a signal that a partner has no row for is absent."""

FLOOR = (
    "select partner_id, count(type), max(occurred_on) from activity group by partner_id",
    "select partner_id, count(person_id) from activity where occurred_on > date '2026-10-31' - 90 group by partner_id",
    """select partner_id, max(closed_on), max(occurred_on), max(close_on), sum(amount_home), count(stage_class),
        count(sourced), count(resold), count(account_id), count(account_country), count(product), count(type),
        count(group_key)
      from deals_of_partners group by partner_id""",
    """select partner_id, count(person_id), count(kind), count(level), count(live), max(expires_on)
      from credentials_of_partners group by partner_id""",
)
"""The same columns, decoded and folded to a row a partner, and nothing worked out."""

SIGNALS = (
    "days_since_last_activity", "days_since_last_reply", "courses_completed", "campaign_responses",
    "meetings_last_quarter", "weeks_with_sign_in", "people_active", "certificates_ending_soon", "people_certified",
    "professional_certificates", "accounts_in_play", "new_business_share", "deals_created", "customer_countries",
    "median_won_deal", "products_sold", "won_deals", "won_revenue", "win_rate", "won_revenue_growth",
    "days_since_last_won_deal", "open_deals", "open_pipeline", "overdue_open_deals",
)  # fmt: skip
