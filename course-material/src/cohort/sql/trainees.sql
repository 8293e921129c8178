with best as (
    select cohort, trainee_id, module, max(points) as points, count(*) as submissions
    from course.grades
    where cohort like $1
    group by cohort, trainee_id, module
),
handed as (
    select b.cohort, b.trainee_id, b.points, b.submissions,
        case when b.points >= m.pass_points then 1 else 0 end as passed
    from best b
    join course.modules m on m.module = b.module
)
select e.cohort, e.trainee_id, count(h.points) as handed_in, coalesce(sum(h.passed), 0) as passed,
    coalesce(sum(h.points), 0) as points, coalesce(sum(h.submissions), 0) as submissions
from course.enrolments e
left join handed h on h.cohort = e.cohort and h.trainee_id = e.trainee_id
where e.cohort like $1
group by e.cohort, e.trainee_id
order by e.cohort, length(e.trainee_id), e.trainee_id
