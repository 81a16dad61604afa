-- One row per sale, with what was known on the morning of its day: nothing of the sale itself but who, where, what
-- and when. Amount, quantity, and every sum that holds them are out. Trailing windows count whole days by
-- `recorded`, so a sale that was reported late is not known too early; every sum is of integers, hence exact.
with

known as (
    select *, cast(recorded as date) as known_on, cast(moment as date) as sold_on,
        amount // quantity as price  -- of a piece, in whole cents
    from sales
),

bound as (
    select quantile_disc(amount, 0.8) as amount
    from sales
    where moment <= (select ends from windows where part = 'train')
),

days_of_stores as (
    select store_id, known_on as day, count(*) as sales, sum(amount) as amount,
        sum(amount * amount) as amount_squared, sum(quantity) as quantity, sum(quantity * quantity) as quantity_squared
    from known group by all
    union all
    select distinct store_id, sold_on, 0, 0, 0, 0, 0 from known
),

stores_before as (
    select distinct store_id, day, sum(sales) over past as sales, sum(amount) over past as amount,
        sum(amount_squared) over past as amount_squared, sum(quantity) over past as quantity,
        sum(quantity_squared) over past as quantity_squared
    from days_of_stores
    window past as (
        partition by store_id order by day range between interval 28 day preceding and interval 1 day preceding
    )
),

days_of_products as (
    select product_id, known_on as day, count(*) as sales, sum(amount) as amount,
        sum(amount * amount) as amount_squared, sum(quantity) as quantity,
        sum(price) as price, sum(price * price) as price_squared
    from known group by all
    union all
    select distinct product_id, sold_on, 0, 0, 0, 0, 0, 0 from known
),

products_before as (
    select distinct product_id, day, sum(sales) over past as sales, sum(amount) over past as amount,
        sum(amount_squared) over past as amount_squared, sum(quantity) over past as quantity,
        sum(price) over past as price, sum(price_squared) over past as price_squared
    from days_of_products
    window past as (
        partition by product_id order by day range between interval 56 day preceding and interval 1 day preceding
    )
),

days_of_customers as (
    select customer_id, known_on as day, count(*) as sales, sum(amount) as amount, sum(quantity) as quantity
    from known group by all
    union all
    select distinct customer_id, sold_on, 0, 0, 0 from known
),

customers_before as (
    select distinct customer_id, day, sum(sales) over past as sales, sum(amount) over past as amount,
        sum(quantity) over past as quantity
    from days_of_customers
    window past as (
        partition by customer_id order by day range between interval 90 day preceding and interval 1 day preceding
    )
),

tiers as (
    select *, ntile(5) over (order by list_price, product_id) as price_tier,
        count(*) over category_of as sorts,
        sum(list_price) over category_of as price,
        sum(list_price * list_price) over category_of as price_squared
    from products
    window category_of as (partition by category)
)

select
    known.sale_id,
    known.moment,
    cast(known.amount > bound.amount as integer) as label,
    year(known.moment) as year,
    month(known.moment) as month,
    quarter(known.moment) as quarter,
    isodow(known.moment) as weekday,
    isodow(known.moment) >= 6 as weekend,
    hour(known.moment) as hour,
    ['winter', 'spring', 'summer', 'autumn'][month(known.moment) % 12 // 3 + 1] as season,
    tiers.category,
    tiers.subcategory,
    tiers.brand,
    tiers.price_tier,
    tiers.list_price / 100 as list_price,
    tiers.price / tiers.sorts / 100 as category_price,
    sqrt((tiers.price_squared * tiers.sorts - tiers.price * tiers.price) / nullif(tiers.sorts * (tiers.sorts - 1), 0))
        / 100 as category_price_spread,
    stores.format as store_format,
    stores.region as store_region,
    stores_before.sales as store_sales,
    stores_before.amount / 100 as store_amount,
    stores_before.amount / nullif(stores_before.sales, 0) / 100 as store_average,
    sqrt(
        (stores_before.amount_squared * stores_before.sales - stores_before.amount * stores_before.amount)
        / nullif(stores_before.sales * (stores_before.sales - 1), 0)
    ) / 100 as store_spread,
    stores_before.quantity / nullif(stores_before.sales, 0) as store_quantity,
    stores_before.quantity as store_pieces,
    sqrt(
        (stores_before.quantity_squared * stores_before.sales - stores_before.quantity * stores_before.quantity)
        / nullif(stores_before.sales * (stores_before.sales - 1), 0)
    ) as store_quantity_spread,
    products_before.sales as product_sales,
    products_before.amount / 100 as product_amount,
    products_before.amount / nullif(products_before.quantity, 0) / 100 as product_price,
    sqrt(
        (products_before.amount_squared * products_before.sales - products_before.amount * products_before.amount)
        / nullif(products_before.sales * (products_before.sales - 1), 0)
    ) / 100 as product_spread,
    sqrt(
        (products_before.price_squared * products_before.sales - products_before.price * products_before.price)
        / nullif(products_before.sales * (products_before.sales - 1), 0)
    ) / 100 as product_price_spread,
    products_before.quantity / nullif(products_before.sales, 0) as product_quantity,
    coalesce(customers_before.sales, 0) as customer_sales,
    customers_before.amount / nullif(customers_before.sales, 0) / 100 as customer_average,
    customers_before.quantity / nullif(customers_before.sales, 0) as customer_quantity,
    date_diff('day', customers.signed_up, known.sold_on) as tenure_days,
    customers.gender,
    customers.senior,
    customers.region,
    customers.channel
from known
cross join bound
left join tiers using (product_id)
left join stores using (store_id)
left join customers using (customer_id)
left join stores_before on stores_before.store_id = known.store_id and stores_before.day = known.sold_on
left join products_before on products_before.product_id = known.product_id and products_before.day = known.sold_on
left join customers_before
    on customers_before.customer_id = known.customer_id and customers_before.day = known.sold_on
where known.moment >= (select starts from windows where part = 'train') + interval 90 day
