-- One row per customer and snapshot, for everyone who bought in the 180 days before it.
-- A sale counts from the snapshot that follows its recording, known_at(recorded), so one that was reported late is
-- not known too early. Money is integer cents and spreads come from sums of squares: every sum is exact, whatever
-- the number of threads.
with

-- One bit for each category, so that a union of sets is an "or"; the contract says that every sale has a product.
categories as materialized (
    select product_id, 1 << (dense_rank() over (order by category) - 1) as category from products
),

known_sales as (
    select
        customer_id,
        known_at(sales.recorded) as moment,
        max(sales.moment) as last_sale,
        min(sales.moment) as first_sale,
        count(*) as purchases,
        sum(amount) as amount,
        sum(amount * amount) as amount_squared,
        sum(quantity) as quantity,
        count(*) filter (where isodow(sales.moment) >= 6) as weekend_purchases,
        count(*) filter (where month(sales.moment) >= 11) as season_purchases,
        bit_or(category) as categories
    from sales
    join categories using (product_id)
    where sales.recorded < (select max(moment) from snapshots)
    group by all
),

-- A period counts in each snapshot whose half year (three periods) or year (six) holds it.
history as (
    select
        customer_id,
        snapshot as moment,
        max(last_sale) filter (half_year) as last_sale,
        min(first_sale) filter (half_year) as first_sale,
        coalesce(sum(purchases) filter (moment = snapshot), 0) as purchases_60_days,
        sum(purchases) filter (half_year) as purchases,
        sum(amount) filter (half_year) as amount,
        sum(amount_squared) filter (half_year) as amount_squared,
        sum(quantity) filter (half_year) as quantity,
        sum(weekend_purchases) filter (half_year) as weekend_purchases,
        bit_or(categories) filter (half_year) as categories,
        sum(season_purchases) / sum(purchases) as season_share
    from (
        select known_sales.*, snapshots.moment as snapshot,
            known_sales.moment > snapshots.moment - interval 180 day as half_year
        from known_sales
        join snapshots
            on known_sales.moment <= snapshots.moment
            and known_sales.moment > snapshots.moment - interval 360 day
    )
    group by customer_id, snapshot
),

buys_next as (
    select distinct customer_id, known_at(sales.moment) - interval 60 day as moment, 0 as label
    from sales
    where sales.moment >= (select min(moment) from snapshots)
)

select
    customer_id,
    moment,
    coalesce(buys_next.label, 1) as label,
    epoch(moment - last_sale) / 86400 as recency_days,
    epoch(last_sale - first_sale) / 86400 / nullif(purchases - 1, 0) as usual_gap_days,
    purchases as purchases_180_days,
    purchases_60_days,
    purchases_60_days - (purchases - purchases_60_days) / 2 as trend,
    amount / 100 as amount_180_days,
    amount / purchases / 100 as average_order,
    sqrt((amount_squared * purchases - amount * amount) / nullif(purchases * (purchases - 1), 0)) / 100
        as spread_of_orders,
    quantity / purchases as average_quantity,
    weekend_purchases / purchases as weekend_share,
    season_share,
    bit_count(categories) as basket_breadth,
    date_diff('day', signed_up, cast(moment as date)) as tenure_days,
    gender,
    senior,
    region,
    channel
from history
join customers using (customer_id)
left join buys_next using (customer_id, moment)
where purchases > 0
